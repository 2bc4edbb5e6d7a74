#pragma once

// One binary serves every x86-64 machine: the compiler makes a version of a hot function for each of these
// instruction sets and the loader picks one. Elsewhere the baseline (NEON on arm64) is what there is. The
// sanitizers' run-time is not up yet when the loader picks, so their builds go without.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(LORP_SANITIZE)
#define LORP_VECTORIZE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LORP_VECTORIZE
#endif
