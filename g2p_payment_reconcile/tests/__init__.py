from . import test_callback
from . import test_exception
from . import test_pull
