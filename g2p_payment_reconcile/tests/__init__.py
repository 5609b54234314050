from . import test_callback
from . import test_cycle
from . import test_inquiry
from . import test_pull
from . import test_reissue
from . import test_report
from . import test_statement
