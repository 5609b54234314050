from . import test_browser
from . import test_decision
from . import test_payee_alias
from . import test_paying
from . import test_payment_gateway
from . import test_rights
from . import test_trust
from . import test_verify_payees
