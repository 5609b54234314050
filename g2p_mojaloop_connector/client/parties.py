"""Who pays, and who is paid."""

from pydantic import BaseModel, ConfigDict


class Party(BaseModel):
    """`id_sub_value` refines the identifier, for example PASSPORT for a PERSONAL_ID."""

    model_config = ConfigDict(frozen=True)

    id_type: str
    id_value: str
    id_sub_value: str = ""
    display_name: str = ""


class Payee(BaseModel):
    """What the scheme says of a party: the institution that keeps its account, and its names, if told.

    The identifier is as the scheme echoes it.
    """

    model_config = ConfigDict(frozen=True)

    fsp_id: str
    id_type: str
    id_value: str
    id_sub_value: str = ""
    name: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
