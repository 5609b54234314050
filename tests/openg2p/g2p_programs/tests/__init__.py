from . import test_what_hurts
