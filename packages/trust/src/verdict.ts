/** What checking a signature found. "unknown" means it could not be judged, which is never as good as "pass". */
export type SignatureVerdict =
  | { readonly verdict: 'pass' /** The key that signed. */; readonly keyId: string; readonly subject: string }
  | { readonly verdict: 'fail' | 'unknown'; readonly reason: string };

/** signatureFails is the verdict of a signature that is there and wrong, or missing where it is needed. */
export function signatureFails(reason: string): SignatureVerdict {
  return { verdict: 'fail', reason };
}

/** signatureUnknown is the verdict where the means to judge are missing. */
export function signatureUnknown(reason: string): SignatureVerdict {
  return { verdict: 'unknown', reason };
}
