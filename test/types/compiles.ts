/** Takes code that is only compiled. */
export function compiles(_code: () => void): void {}
