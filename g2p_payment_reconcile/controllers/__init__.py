from . import callback
from . import statement
