# Sourced by the scripts beside it.

# The exit status of what cannot be tried here.
SKIPPED=77

# skip REASON: this platform cannot be tried here
skip() {
  echo "skipped: $1"
  exit "$SKIPPED"
}

# install_or_skip PACKAGE…: by Debian's package manager, where that is allowed
install_or_skip() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || skip "needs the Debian packages $*"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1 || skip "cannot install $*"
}
