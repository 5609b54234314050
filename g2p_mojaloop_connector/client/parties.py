"""Who pays, and who is paid."""

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.kept import Text


class Party(BaseModel):
    """`id_sub_value` refines the identifier, for example PASSPORT for a PERSONAL_ID."""

    model_config = ConfigDict(frozen=True)

    id_type: str
    id_value: str
    id_sub_value: str = ""
    display_name: str = ""


class Payee(BaseModel):
    """What the scheme says of a party: the institution that keeps its account, and its names, if told.

    The identifier is as the scheme echoes it.
    """

    model_config = ConfigDict(frozen=True)

    fsp_id: Text
    id_type: Text
    id_value: Text
    id_sub_value: Text = ""
    name: Text = ""
    first_name: Text = ""
    middle_name: Text = ""
    last_name: Text = ""
