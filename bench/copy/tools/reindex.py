"""usage: reindex.py SOURCE-URL TARGET-URL INDEX: copies an index by helpers.reindex and prints how many seconds that took."""
import sys, time
from opensearchpy import OpenSearch, helpers

source, target = (OpenSearch(url, timeout=120) for url in sys.argv[1:3])
began = time.monotonic()
written, errors = helpers.reindex(source, sys.argv[3], sys.argv[3], target_client=target, chunk_size=1000, scan_kwargs={"size": 1000})
if errors:
    sys.exit(f"{errors} of the documents were not written")
print(time.monotonic() - began)
