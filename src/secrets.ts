/**
 * A text whose addresses have nothing in them that may be a key: no user name and password, and no query, where signed
 * addresses have their signature.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/\b(https?:\/\/)(?:[^\s/?#"']*@)?([^\s?#"']*)(?:\?[^\s"']*)?/gi, "$1$2");
}
