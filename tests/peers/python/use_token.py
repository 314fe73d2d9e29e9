"""Lets an agency's configuration name a key in a token instead of the one in its folder.

    python use_token.py <agency.toml> <PKCS#11 module>
"""

import sys

FOLDER = '[issuer]\nadapter = "folder"\nfolder = "issuer"\n'
TOKEN = """[issuer]
adapter = "pkcs11"
module = "{module}"
token = "registrar"
key = "issuer"
pin = {{ file = "issuer.pin" }}
chain = "issuer.pem"
"""


def main():
    path, module = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if FOLDER not in text:
        raise SystemExit(f"{path} names no folder of its key")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(FOLDER, TOKEN.format(module=module)))


main()
