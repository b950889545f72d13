"""X.509 by RFC 5280: an authority, the certificates it signs, and its list of revoked ones. ECDSA on P-256."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.devices.failure import DeviceSecurityError

AUTHORITY_LIFETIME = timedelta(days=3650)
CLOCK_ALLOWANCE = timedelta(hours=1)
"""A certificate is valid from so long before it was made: a device's clock may be behind."""

_RSA_BITS = 2048

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its own certificate, its private key, and where its list of revoked ones is fetched.

    ``revocation_url`` is for brokers that fetch the list (EMQX); brokers that read it from a file need none.
    """

    certificate: x509.Certificate
    key: PrivateKey
    revocation_url: str | None


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate that counts no longer, by its serial number."""

    serial: int
    at: datetime


def new_key() -> PrivateKey:
    """A random private key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(name: str, revocation_url: str | None, now: datetime) -> Authority:
    """A self-signed authority that may sign certificates of devices and brokers, but no further authority."""
    key = new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, subject, key.public_key(), now, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key, revocation_url)


def server_certificate(
    authority: Authority, key: PublicKey, names: Sequence[str], now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """A broker's certificate for the host names and addresses under which clients reach it.

    Raises:
        DeviceSecurityError: a name is neither a host name nor an address.
    """
    builder = _signed_builder(
        authority, names[0], key, start=now, lifetime=lifetime, purpose=ExtendedKeyUsageOID.SERVER_AUTH
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([_host(name) for name in names]), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def client_certificate(
    authority: Authority, key: PublicKey, name: str, now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """A device's certificate; its common name is the device's user name at the broker."""
    builder = _signed_builder(
        authority, name, key, start=now, lifetime=lifetime, purpose=ExtendedKeyUsageOID.CLIENT_AUTH
    )
    if authority.revocation_url is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(authority.revocation_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def revocation_list(authority: Authority, revoked: Sequence[Revocation], number: int, now: datetime) -> bytes:
    """The list of revoked certificates, PEM. ``number`` grows with each list.

    It stays valid as long as the authority: a broker that finds the list outdated refuses every device of the city,
    which is worse than a list that a person forgot to renew.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - CLOCK_ALLOWANCE)
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_identifier(authority), critical=False)
    )
    if authority.revocation_url is not None:
        # EMQX enforces only a list that says where it belongs (its manual, "CRL check").
        point = x509.IssuingDistributionPoint(
            [x509.UniformResourceIdentifier(authority.revocation_url)], None, False, False, None, False, False
        )
        builder = builder.add_extension(point, critical=True)
    for entry in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(entry.at).build()
        builder = builder.add_revoked_certificate(one)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def requested_key(request: bytes) -> PublicKey:
    """The public key of a PEM certificate request, whose private key thereby never leaves the device.

    Only the key is taken from it: which name it gets is for the authority to say.

    Raises:
        DeviceSecurityError: it is no request, is not signed with its own key, or the key is too weak.
    """
    try:
        parsed = x509.load_pem_x509_csr(request)
        key = parsed.public_key()
    except ValueError as error:
        raise DeviceSecurityError(f"the certificate request cannot be read: {error}") from None
    if not parsed.is_signature_valid:
        raise DeviceSecurityError("the certificate request is not signed with its own key")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise DeviceSecurityError("the requested key must be ECDSA on P-256 or P-384, Ed25519, or RSA of 2048 bits or more")


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """The certificate as a PEM file holds it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    """The private key as an unencrypted PEM file holds it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_authority(certificate: bytes, key: bytes, revocation_url: str | None) -> Authority:
    """An authority from its two PEM files.

    Raises:
        DeviceSecurityError: they cannot be read, or do not belong together.
    """
    try:
        read = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise DeviceSecurityError(f"the authority's files cannot be read: {error}") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != read.public_key():
        raise DeviceSecurityError("the authority's key does not belong to its certificate")
    return Authority(read, private, revocation_url)


def _signed_builder(
    authority: Authority,
    name: str,
    key: PublicKey,
    *,
    start: datetime,
    lifetime: timedelta,
    purpose: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    end = min(start + lifetime, authority.certificate.not_valid_after_utc)
    if end <= start:
        raise DeviceSecurityError("the authority's own certificate has expired")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        _builder(subject, authority.certificate.subject, key, start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_identifier(authority), critical=False)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCK_ALLOWANCE,
        not_valid_after=end,
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_identifier(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError:
        raise DeviceSecurityError(f"{name!r} is neither a host name nor an address") from None
