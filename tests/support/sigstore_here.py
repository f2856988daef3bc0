"""Sigstore's services on this machine: an identity provider, a certificate authority, a certificate log, a public log.

They speak the protocols of their namesakes (OIDC tokens of a workflow; Fulcio v2; RFC 6962; Rekor v1) over HTTP on the
loopback address, with keys made for the occasion. What they sign is real: only who vouches for it is not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/auditors/audits/.github/workflows/audit.yml@refs/heads/main"
TOKEN_SECRET = "a secret of the identity provider, known to the authority"  # noqa: S105
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
FULCIO_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
FULCIO_ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
LEAVES_BEFORE = 5


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def ecdsa(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def der(tag: int, raw: bytes) -> bytes:
    size = bytes([len(raw)]) if len(raw) < 128 else bytes([0x82, *len(raw).to_bytes(2, "big")])
    return bytes([tag]) + size + raw


class Services:
    """All of them behind one address; `refuses` names those that answer 403, `lies` makes the log's tree false."""

    def __init__(self) -> None:
        self.root_key, self.certificate_log, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = self._authority()
        self.leaves = [f"an earlier entry {i}".encode() for i in range(LEAVES_BEFORE)]
        self.refuses: set[str] = set()
        self.lies = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def environment(self) -> dict[str, str]:
        """What a job finds in its surroundings."""
        names = {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the job"}
        return {**names, "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?version=1"}

    def root_of_trust(self) -> dict[str, Any]:
        since = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            public = {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since}
            named = {"keyId": b64(hashlib.sha256(spki(key)).digest())}
            return {"baseUrl": self.url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": named}

        chain = {"certificates": [{"rawBytes": b64(self.root.public_bytes(serialization.Encoding.DER))}]}
        subject = {"organization": "here", "commonName": "authority"}
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log)],
            "certificateAuthorities": [{"subject": subject, "uri": self.url, "certChain": chain, "validFor": since}],
            "ctlogs": [log(self.certificate_log)],
            "timestampAuthorities": [],
        }

    def config(self) -> dict[str, Any]:
        here = {"url": self.url, "majorApiVersion": 1, "operator": "here"}
        service = [{**here, "validFor": {"start": "2020-01-01T00:00:00Z"}}]
        signing = {"caUrls": service, "oidcUrls": service, "rekorTlogUrls": service, "tsaUrls": []}
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.root_of_trust(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                **signing,
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }

    def _authority(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        now, key = datetime.now(UTC), self.root_key.public_key()
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key)
        built = built.serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(authority=True), critical=True)
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return built.sign(self.root_key, hashes.SHA256())

    def certificate(self, request: x509.CertificateSigningRequest, identity: str, issuer: str) -> x509.Certificate:
        """For ten minutes, with the receipt of the certificate log inside (RFC 6962, 3.3)."""
        now, public = datetime.now(UTC), self.root_key.public_key()
        built = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(self.root.subject)
        built = built.public_key(request.public_key()).serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - timedelta(minutes=1)).not_valid_after(now + timedelta(minutes=10))
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        built = built.add_extension(_usage(authority=False), critical=True).add_extension(usages, critical=False)
        built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        built = built.add_extension(names, critical=True)
        for oid, said in ((FULCIO_ISSUER, issuer.encode()), (FULCIO_ISSUER_V2, der(0x0C, issuer.encode()))):
            built = built.add_extension(x509.UnrecognizedExtension(oid, said), critical=False)
        unlogged = built.sign(self.root_key, hashes.SHA256()).tbs_certificate_bytes
        receipt = x509.UnrecognizedExtension(SCT_LIST, self._receipt(unlogged))
        return built.add_extension(receipt, critical=False).sign(self.root_key, hashes.SHA256())

    def _receipt(self, unlogged: bytes) -> bytes:
        at = int(time.time() * 1000)
        entry = hashlib.sha256(spki(self.root_key)).digest() + len(unlogged).to_bytes(3, "big") + unlogged
        signature = ecdsa(self.certificate_log, struct.pack("!BBQH", 0, 0, at, 1) + entry + b"\0\0")
        log = hashlib.sha256(spki(self.certificate_log)).digest()
        sct = b"\0" + log + struct.pack("!QH", at, 0) + b"\4\3" + len(signature).to_bytes(2, "big") + signature
        inner = len(sct).to_bytes(2, "big") + sct
        return der(0x04, len(inner).to_bytes(2, "big") + inner)

    def entry(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """Add an entry `dsse` 0.0.1 to the log, with promise, proof and checkpoint."""
        envelope = json.loads(proposed["spec"]["proposedContent"]["envelope"])
        verifier = proposed["spec"]["proposedContent"]["verifiers"][0]
        digests = {
            "envelopeHash": hashlib.sha256(proposed["spec"]["proposedContent"]["envelope"].encode()).hexdigest(),
            "payloadHash": hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest(),
        }
        spec: dict[str, Any] = {k: {"algorithm": "sha256", "value": v} for k, v in digests.items()}
        spec["signatures"] = [{"signature": x["sig"], "verifier": verifier} for x in envelope["signatures"]]
        body = canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        self.leaves.append(body)
        index, at = len(self.leaves) - 1, int(time.time())
        log = hashlib.sha256(spki(self.log)).digest()
        promise = {"body": b64(body), "integratedTime": at, "logID": log.hex(), "logIndex": index}
        root = tree(self.leaves) if not self.lies else hashlib.sha256(b"another tree").digest()
        note = f"here - 1\n{len(self.leaves)}\n{b64(root)}\n"
        proof = {
            "logIndex": index,
            "rootHash": root.hex(),
            "treeSize": len(self.leaves),
            "hashes": [x.hex() for x in path(index, self.leaves)],
            "checkpoint": f"{note}\n\u2014 here {b64(log[:4] + ecdsa(self.log, note.encode()))}\n",
        }
        signed = b64(ecdsa(self.log, canonical(promise)))
        return {log.hex(): {**promise, "verification": {"signedEntryTimestamp": signed, "inclusionProof": proof}}}

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "sigstore", "sub": "repo:auditors/audits", "workflow": WORKFLOW}
        return jwt.encode({**claims, "iat": now, "nbf": now - 5, "exp": now + 300}, TOKEN_SECRET, "HS256")

    def certified(self, bearer: str, asked: dict[str, Any]) -> dict[str, Any]:
        claims = jwt.decode(bearer.removeprefix("Bearer "), TOKEN_SECRET, ["HS256"], audience="sigstore")
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        assert request.is_signature_valid
        made = self.certificate(request, claims["workflow"], claims["iss"])
        chain = [x.public_bytes(serialization.Encoding.PEM).decode() for x in (made, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _handler(services: Services) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - beside the handler's own self
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("token", {"value": services.token()})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/signingCert"):
                    self._answer("authority", services.certified(self.headers["Authorization"], asked))
                else:
                    self._answer("log", services.entry(asked))

            def _answer(self, service: str, answer: dict[str, Any]) -> None:
                raw = json.dumps(answer).encode()
                granted = 200 if service == "token" else 201
                self.send_response(403 if service in services.refuses else granted)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _usage(*, authority: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    off = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **off)


def tree(leaves: list[bytes]) -> bytes:
    """Merkle tree head (RFC 6962, 2.1)."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Audit path of a leaf (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path(index, leaves[:split]), tree(leaves[split:])]
    return [*path(index - split, leaves[split:]), tree(leaves[:split])]
