/** The certificate of an authority nobody has the key of, for examples. */
export const EXAMPLE_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnzCCAUWgAwIBAgIUSZ0wnAwvkrvOIO08NBwfx4reThIwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRRXhhbXBsZSBhdXRob3JpdHkwIBcNMjYxMTIyMDU0NjAyWhgP
MjEyNjEwMjkwNTQ2MDJaMBwxGjAYBgNVBAMMEUV4YW1wbGUgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhpmbF04t+SAfFjRYyJowgeBso+b5ucYv
BV1V0B0XV8qwlR29Hb33KZs0sZvNT+9ZZx6G+BWCNW8lFTxEvFTm0KNjMGEwHQYD
VR0OBBYEFGXOIXyO1yOWALgKtfynvQK6z5ScMB8GA1UdIwQYMBaAFGXOIXyO1yOW
ALgKtfynvQK6z5ScMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoG
CCqGSM49BAMCA0gAMEUCIAWL57EcjgtTnZ2JunE07OIGljyMr2CHDah4b5b3XOBS
AiEAw+60lMBVcPZQs69j0KOe8AovgwbMGv/LyRLYvqRQw0Y=
-----END CERTIFICATE-----
`;

/** indented puts a text below a YAML key, as a block. */
export function indented(text: string, columns: number): string {
  return text.trimEnd().replaceAll(/^/gm, ' '.repeat(columns));
}
