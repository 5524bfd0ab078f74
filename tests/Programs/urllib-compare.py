"""Fetches every file of a directory through a web server, several at once, and compares: urllib-compare.py URL DIRECTORY"""
import concurrent.futures
import pathlib
import sys
import urllib.request

url, directory = sys.argv[1:]


def compare(path):
    with urllib.request.urlopen(f"{url}/{path.name}", timeout=30) as response:
        assert response.read() == path.read_bytes(), path


# No more at once than http.server lets wait: beyond its five a connect takes a second.
with concurrent.futures.ThreadPoolExecutor(4) as threads:
    print(len(list(threads.map(compare, sorted(pathlib.Path(directory).iterdir())))), "right")
