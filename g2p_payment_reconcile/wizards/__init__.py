from . import payment_exception_decide
from . import payment_exception_undo
from . import payment_evidence_upload
from . import payment_evidence_mapping_try
from . import payment_inquiry
from . import payment_question
from . import payment_reissue
from . import cycle_distribute
