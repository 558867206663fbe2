/** Where clients are unless they ask for something else. */
export const DEFAULT_NAMESPACE = 'main'
export const DEFAULT_DATABASE = 'main'
