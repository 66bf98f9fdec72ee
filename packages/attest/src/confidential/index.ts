export { GUEST_REASONS, type GuestVerdict } from './guest-verdict.ts';
export { GUEST_REPORT_LIMIT_BYTES, judgeGuestReport } from './judge-guest-report.ts';
