"""Secondary identifiers: 200 says nothing about each of them."""

import pytest
from scripted_connector import failed

from odoo.addons.g2p_mojaloop_connector.client.accounts import Account
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Step, StepFailed
from odoo.addons.g2p_mojaloop_connector.client.connector import NO_REMOVAL
from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused

ACCOUNTS = [
    Account(id_type="ALIAS", id_value="first", currency="USD"),
    Account(id_type="ALIAS", id_value="second0404", currency="USD"),
    Account(id_type="PERSONAL_ID", id_value="third", id_sub_value="PASSPORT", currency="EUR"),
]


def test_each_has_a_result_of_its_own(scripted):
    peer = scripted()
    with peer.connector() as connector:
        results = connector.register_accounts(ACCOUNTS)
    assert [one.account for one in results] == ACCOUNTS
    assert [one.registered for one in results] == [True, False, True]
    assert (results[1].code, results[1].description) == ("3204", "not found")
    (sent,) = peer.bodies("/accounts")
    assert sent[0] == {"idType": "ALIAS", "idValue": "first", "currency": "USD"}
    assert sent[2] == {
        "idType": "PERSONAL_ID",
        "idValue": "third",
        "idSubValue": "PASSPORT",
        "currency": "EUR",
    }


@pytest.mark.parametrize("response", [None, [], [7, None, {}], [{"idType": "ALIAS", "idValue": "other"}], {}])
def test_what_is_not_told_is_not_known(scripted, response):
    peer = scripted(accounts=(200, {"currentState": "COMPLETED", "response": response}))
    with peer.connector() as connector:
        assert [one.registered for one in connector.register_accounts(ACCOUNTS)] == [None] * 3


def test_refused_as_a_whole(scripted):
    peer = scripted(accounts=failed("3201", "executionState"))
    with peer.connector() as connector, pytest.raises(StepFailed) as caught:
        connector.register_accounts(ACCOUNTS)
    assert (caught.value.step, caught.value.code) == (Step.ACCOUNTS, "3201")


def test_no_answer(scripted):
    peer = scripted(accounts=(504, {"message": "Timeout", "statusCode": "504", "executionState": {}}))
    with peer.connector() as connector, pytest.raises(OutcomeUnknown):
        connector.register_accounts(ACCOUNTS)


class TestRemove:
    def test_newer(self, scripted):
        peer = scripted(remove=(200, {"currentState": "COMPLETED", "response": [{}]}))
        with peer.connector() as connector:
            connector.remove_account("PERSONAL_ID", "third", "PASSPORT")
        assert [(one.method, one.path) for one in peer.server.requests] == [
            ("DELETE", "/accounts/PERSONAL_ID/third/PASSPORT")
        ]

    def test_old(self, scripted):
        peer = scripted(remove=(400, {"message": "Method DELETE not supported", "statusCode": 400}))
        with peer.connector() as connector, pytest.raises(Refused) as caught:
            connector.remove_account("ALIAS", "first")
        assert (caught.value.reason, caught.value.detail) == (Reason.CONFIGURATION, NO_REMOVAL)

    def test_not_known(self, scripted):
        rows = [{"error": {"statusCode": "3204", "message": "not found"}}]
        peer = scripted(remove=(200, {"currentState": "COMPLETED", "response": rows}))
        with peer.connector() as connector, pytest.raises(StepFailed) as caught:
            connector.remove_account("ALIAS", "first")
        assert caught.value.code == "3204"
