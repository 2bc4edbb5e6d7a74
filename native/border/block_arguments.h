#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "block_states.h"
#include "model.h"
#include "session.h"
#include "top_distribution.h"

// What JavaScript says of a model's blocks, checked.

namespace lorp {

/** `blocks` and `states` of an object. */
BlockLayout block_layout(const Napi::Object& given, const Model& model);

/** n_blocks flags from a list of block numbers, each set in every loop. */
std::vector<bool> block_flags(const Napi::Value& value, const std::string& name, const BlockLayout& layout);

/** `skip` and `repairs` of an object. */
BlockChanges block_changes(const Napi::Object& given, const BlockLayout& layout);

/** @param n_vocab of the vocabulary that its tokens are of */
TopDistributions top_distributions(const Napi::Value& value, const std::string& name, std::uint32_t n_vocab);

}  // namespace lorp
