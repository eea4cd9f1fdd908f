"""Shows that the image is whole: Python, OpenSSL, trusted certificates and time zones."""

import datetime
import ssl
import zoneinfo

noon = datetime.datetime(2026, 6, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
certificates = len(ssl.create_default_context().get_ca_certs())
print("hello from distil")
print("openssl", ssl.OPENSSL_VERSION.split()[1])
print("noon in Berlin is", noon.astimezone(datetime.timezone.utc).strftime("%H:%M"), "UTC")
print("trusted certificates:", "some" if certificates else "none")
