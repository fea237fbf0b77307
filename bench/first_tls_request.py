"""What bench/tls.py measures, in a process of its own: CPU of the first request that a client sends by TLS, in milliseconds.

`python first_tls_request.py URL CA_BUNDLE`, with botocore on the PYTHONPATH: as a client does it, without its service.
"""

import sys
from time import process_time
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session


def main(url: str, bundle: str) -> None:
    verify: Any = bundle  # botocore's stubs know of True and False only
    session = URLLib3Session(verify=verify)
    request = AWSRequest("GET", url).prepare()
    began = process_time()
    answer = session.send(request)
    spent = process_time() - began
    assert answer.status_code == 200
    print(spent * 1000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
