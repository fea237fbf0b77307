"""`python first_tls_request.py URL CA_BUNDLE`: CPU milliseconds of the first TLS request, sent as a botocore client sends it.

For bench/tls.py, which runs it with botocore on the PYTHONPATH.
"""

import sys
from time import process_time
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session


def main(url: str, bundle: str) -> None:
    verify: Any = bundle  # botocore's stubs allow only True and False
    session = URLLib3Session(verify=verify)
    request = AWSRequest("GET", url).prepare()
    began = process_time()
    response = session.send(request)
    seconds = process_time() - began
    assert response.status_code == 200
    print(seconds * 1000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
