from . import payee_verify
from . import payee_alias
