/** Why the answers of these cases differ, and stay. */
export const PYTHON_DIFFERENCES: Readonly<Record<string, string>> = {}
