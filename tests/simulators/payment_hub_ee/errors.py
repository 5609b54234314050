"""The error bodies, each its own shape, of ph-ee-connector-common 1.8.1 and the two applications."""

import json

CATEGORIES = {
    "PayerInsufficientBalance": "BusinessRule",
    "InactiveAccountStatus": "BusinessRule",
    "PayeeCurrencyInvalid": "BusinessRule",
    "TransactionExists": "BusinessRule",
    "ExtInternalServerError": "System",
    "CommunicationError": "System",
    "DestinationCommunicationError": "System",
    "TimeOut": "System",
    "JWSVerificationServerError": "System",
    "FormatError": "Validation",
    "InvalidPublicKeyConfigured": "Validation",
    "InvalidJsonWebSignature": "Validation",
}


def hub_error(code, description, developer="", parameters=None):
    """PhErrorDTO as a dict; members that are null are left out."""
    error = {
        "errorCategory": CATEGORIES.get(code, "Interop"),
        "errorCode": code,
        "errorDescription": description,
        "developerMessage": developer or description,
        "defaultUserMessage": "",
    }
    if parameters:
        error["errorParameters"] = [{"key": key, "value": value} for key, value in parameters]
    return error


def row_error(code, escaped=False):
    """The text that is stored with a failed transfer: JSON, often with its quotes escaped once more."""
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in code).strip()
    text = json.dumps(hub_error(code, words.capitalize()))
    return text.replace('"', '\\"') if escaped else text


def advice(text):
    """GlobalExceptionMapper: anything that was not foreseen."""
    return {"responseCode": "01", "responseDescription": text}


def type_error():
    """One and the same text whatever the cause (BatchTransactionsController)."""
    return {
        "errorInformation": "File not uploaded",
        "errorDescription": "There was no file uploaded with the request. Please upload one and try again.",
        "errorCode": 400,
    }


def file_error(information, description):
    """The keys really have a colon and blanks in them (ProcessorStartRoute)."""
    return {"Error Information: ": information, "Error Description : ": description}
