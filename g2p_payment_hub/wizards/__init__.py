from . import payment_batch_reject
