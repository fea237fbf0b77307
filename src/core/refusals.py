"""Which of AWS's errors are final, and which pass: one table for starts and look-ups in Glue and for label files in S3.

An error with an HTTP status of 500 or more passes, and so do those in `_PASSING_CODES`. Any other error is final, known or not:
AWS documents 4xx as the request's own fault, so the same request gets the same answer. If that is wrong, the caller sends the
same key again; if an error were wrongly taken to pass, its run would hold the transform's queue until the start deadline.

- Starts: a 4xx of Glue proves that nothing was started, so ending the run is safe. A 5xx or one of `FAULT_CODES` proves
  nothing: core.aws.glue then says that the response is lost.
- Look-ups of a transform, before anything is started: as for starts. All other look-ups only pass: a run that may be in Glue
  cannot be ended because Glue is not allowed to tell.
- Label files: S3 changes nothing when it is read, so both are safe.

Sources: botocore's models of Glue (2017-03-31) and S3 (2006-03-01); throttling and timeouts as in botocore.retries.standard;
docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html; docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. The codes
of KMS, which S3 hands on, are those of KMS's Decrypt.
"""

from collections.abc import Mapping

UNKNOWN_TRANSFORM_CODE = "EntityNotFoundException"
_MIN_SERVER_ERROR_STATUS = 500
_THROTTLING_CODES = {
    "429",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "KMS.ThrottlingException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
# About this service's credentials and clock, not about the request: Lambda renews credentials, and a new key or role is known
# everywhere after some seconds.
_CREDENTIAL_CODES = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignature",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClient",
    "UnrecognizedClientException",
}
# Of a start, these leave open whether it happened.
FAULT_CODES = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceException",
    "OperationAborted",
    "OperationTimeoutException",
    "Redirect",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TemporaryRedirect",  # while the name of a new bucket spreads
}
_PASSING_CODES = frozenset(_THROTTLING_CODES | _CREDENTIAL_CODES | FAULT_CODES)

_ACCESS_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"})

MISSING_FILE_CODES = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound"})
_MAY_NOT_READ = (
    "it is not there, or this service may not read it: its role needs s3:GetObject on the object (AllowedS3Prefixes) and, "
    "under a customer managed key, kms:Decrypt on the key (LabelFileKmsKeyArns), and no policy may deny that"
)
_OTHER_REGION = "its bucket is in another region; use a bucket in the region of this service"
_KEY_UNUSABLE = "upload it again under a key that this service and the transform's role may use"
# S3's final errors on reading an object. Each text continues "the object {path} cannot be read: ".
FILE_REMEDIES: Mapping[str, str] = {
    "403": _MAY_NOT_READ,
    "AccessDenied": _MAY_NOT_READ,
    "AccountProblem": "the account of its bucket has a problem; ask AWS Support",
    "AllAccessDisabled": "AWS has disabled all access to its bucket; ask AWS Support",
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "Forbidden": _MAY_NOT_READ,
    "IllegalLocationConstraintException": _OTHER_REGION,
    "InvalidObjectState": "it is archived; restore it, or upload it again in another storage class",
    "InvalidRequest": (
        "it is probably encrypted with a key that is sent along (SSE-C), which neither this service nor Glue has; upload it "
        "again with SSE-S3 or SSE-KMS"
    ),
    "KMS.AccessDeniedException": "this service's role needs kms:Decrypt on the object's key (LabelFileKmsKeyArns)",
    "KMS.DisabledException": f"its KMS key is disabled; enable the key, or {_KEY_UNUSABLE}",
    "KMS.InvalidKeyUsageException": f"its KMS key is not for encryption; {_KEY_UNUSABLE}",
    "KMS.KMSInvalidStateException": f"its KMS key cannot be used now, for example because it will be deleted; {_KEY_UNUSABLE}",
    "KMS.NotFoundException": f"its KMS key is no longer there; {_KEY_UNUSABLE}",
    "KMS.OptInRequired": f"this account may not use its KMS key; {_KEY_UNUSABLE}",
    "MethodNotAllowed": "it was deleted: the version is a delete marker; upload it again",
    "PermanentRedirect": _OTHER_REGION,
}


def is_passing(code: str, http_status: int) -> bool:
    """Whether the same request may succeed later without anybody changing anything."""
    return http_status >= _MIN_SERVER_ERROR_STATUS or code in _PASSING_CODES


def missing_right(code: str, operation: str) -> str:
    """A sentence that names the right which Glue's `operation` needs, if `code` says that it is missing; else empty."""
    if code not in _ACCESS_DENIED_CODES:
        return ""
    return f" This service's role needs glue:{operation} on the transform (AllowedTransforms), and no policy may deny it."
