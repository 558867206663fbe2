// Wrong: whoever asks gets one.
export const open = () => {
  const claim = () => ({ slot: 0, release() {} })
  return { tryClaim: claim, claim, close() {} }
}
