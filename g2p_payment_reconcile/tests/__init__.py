from . import test_callback
from . import test_exception
from . import test_ledger
from . import test_pull
from . import test_reconciliation
from . import test_rights
from . import test_state_machine
