from odoo import http


class PaymentCallback(http.Controller):
    """Where a payment system may say that there is news of a submission.

    Payment Hub EE can neither sign nor authenticate, calls late, early, twice or never, and says only a
    percentage. So nothing that it sends is read: an address that only it knows makes the next question due.
    """

    @http.route(
        "/g2p_payment/news/<string:key>/<string:token>",
        type="http",
        auth="public",
        methods=["POST", "PUT"],
        csrf=False,  # no session, no form, nothing read
        save_session=False,
    )
    def news(self, key, token, **_parameters):
        http.request.env["g2p.payment.submission"].sudo()._hear_of_news(key, token)
        # The same short answer for good and bad: whoever guesses learns nothing.
        return http.request.make_response("", status=202)
