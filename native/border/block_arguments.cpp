#include "block_arguments.h"

#include <algorithm>

#include "arguments.h"

namespace lorp {

BlockLayout block_layout(const Napi::Object& given, const Model& model) {
    const Napi::Object states = arguments::object(given.Get("states"), "states");
    BlockLayout layout;
    layout.loops = arguments::integer<std::int32_t>(states.Get("loops"), "loops", 1, model.n_layer());
    layout.n_blocks = layout.loops * arguments::integer<std::int32_t>(given.Get("blocks"), "blocks", 1,
                                                                      model.n_layer() / layout.loops);
    layout.n_embd = model.n_embd();
    layout.output_name = arguments::string(states.Get("blockOutput"), "blockOutput");
    layout.block_input_name = arguments::string(states.Get("blockInput"), "blockInput");
    layout.input_name = arguments::string(states.Get("input"), "input");
    layout.last_output_name = arguments::string(states.Get("lastOutput"), "lastOutput");
    layout.streams = arguments::integer<std::int32_t>(states.Get("streams"), "streams", 1);
    layout.streams_inside = arguments::boolean(states.Get("streamsInside"), "streamsInside");
    layout.embeds = arguments::boolean(states.Get("embeds"), "embeds");
    layout.empty = block_flags(states.Get("emptyBlocks"), "emptyBlocks", layout);
    return layout;
}

std::vector<bool> block_flags(const Napi::Value& value, const std::string& name, const BlockLayout& layout) {
    std::vector<bool> flags(static_cast<std::size_t>(layout.n_blocks));
    for (const std::int32_t block : arguments::int32s(value, name)) {
        if (block < 0 || block >= layout.loop_length()) {
            throw arguments::wrong(value, name, "numbers of blocks of this model");
        }
        for (std::int32_t run = block; run < layout.n_blocks; run += layout.loop_length()) {
            flags[static_cast<std::size_t>(run)] = true;
        }
    }
    return flags;
}

namespace {

/** `repairs` of an object, or undefined: each with its block, weight, epsilon, and map of n_embd rows. */
std::vector<Repair> repairs_of(const Napi::Value& value, const BlockLayout& layout) {
    std::vector<Repair> repairs;
    if (value.IsUndefined()) return repairs;
    if (!value.IsArray()) throw arguments::wrong(value, "repairs", "an array");
    const auto array = value.As<Napi::Array>();
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Object given = arguments::object(array.Get(i), "repairs");
        repairs.push_back({{arguments::integer<std::int32_t>(given.Get("block"), "block", 0, layout.n_blocks - 1),
                            arguments::string(given.Get("weight"), "weight")},
                           arguments::number(given.Get("epsilon"), "epsilon", 0.0),
                           arguments::floats(given.Get("map"), "map")});
        const std::vector<float>& map = repairs.back().map;
        if (map.empty() || map.size() % static_cast<std::size_t>(layout.n_embd) != 0) {
            throw arguments::wrong(given.Get("map"), "map", "a Float32Array of as many rows as the embedding is long");
        }
    }
    return repairs;
}

}  // namespace

BlockChanges block_changes(const Napi::Object& given, const BlockLayout& layout) {
    return {block_flags(given.Get("skip"), "skip", layout), repairs_of(given.Get("repairs"), layout)};
}

TopDistributions top_distributions(const Napi::Value& value, const std::string& name, std::uint32_t n_vocab) {
    const Napi::Object given = arguments::object(value, name);
    TopDistributions top{arguments::integer<std::uint32_t>(given.Get("width"), "width", 1U, n_vocab),
                         arguments::int32s(given.Get("tokens"), "tokens"),
                         arguments::floats(given.Get("logProb"), "logProb")};
    const auto last = static_cast<std::int32_t>(n_vocab) - 1;
    const auto known = [=](std::int32_t token) { return token >= 0 && token <= last; };
    if (top.tokens.size() % top.width != 0 || top.tokens.size() != top.log_prob.size() ||
        !std::all_of(top.tokens.begin(), top.tokens.end(), known)) {
        throw arguments::wrong(value, name, "rows of tokens of the vocabulary and their probabilities");
    }
    return top;
}

}  // namespace lorp
