// Layers are pulled: each one works on what the layer before it has left in its buffer, and asks for more of that only
// when it is empty and there is still room.
#include "pipette/coding/decoder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/coding/internal/stage.h"

namespace pipette::coding {
namespace {

constexpr std::size_t kBetweenBytes = 16 * 1024;
constexpr std::uint64_t kMaxIdlePerOctet = 16;  // an empty block behind each octet costs 6

// The next element of a list, which is taken off its front.
std::string_view take_element(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view element = ascii::trim(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

Step copy(Bytes input, MutableBytes into) {
  const std::size_t size = std::min(input.size(), into.size());
  std::copy_n(input.data(), size, into.data());
  return {.consumed = size, .produced = size, .is_complete = true};
}

}  // namespace

struct Decoder::Layer {
  using Between = std::array<char, kBetweenBytes>;

  explicit Layer(Coding coding) : stage(internal::make_stage(coding)) {}

  std::unique_ptr<internal::Stage> stage;
  std::unique_ptr<Between> between;  // what the layer before has given; the first layer has none
  Bytes waiting;                     // what is left of that
  std::uint64_t taken = 0;           // all that has been in `between`
  bool is_complete = true;
};

Result<Decoder> Decoder::from(std::string_view content_encoding) {
  Decoder decoder;
  while (!content_encoding.empty()) {
    const std::string_view element = take_element(content_encoding);
    if (element.empty() || ascii::equal_ignoring_case(element, "identity")) continue;
    const std::optional<Coding> coding = coding_of(element);
    if (!coding || decoder.layers_.size() == kMaxCodings) return fail(Errc::unknown_content_coding);
    decoder.layers_.emplace_back(*coding);
  }
  std::ranges::reverse(decoder.layers_);
  for (std::size_t i = 1; i < decoder.layers_.size(); ++i) {
    decoder.layers_[i].between = std::make_unique_for_overwrite<Layer::Between>();
  }
  return decoder;
}

Decoder::Decoder() = default;
Decoder::Decoder(Decoder&& other) noexcept = default;
Decoder& Decoder::operator=(Decoder&& other) noexcept = default;
Decoder::~Decoder() = default;

Result<Step> Decoder::next(Bytes input, MutableBytes into) {
  assert(!into.empty());
  if (error_) return fail(error_);
  if (is_identity()) return copy(input, into);
  Bytes rest = input;
  const Result<std::size_t> produced = pull(layers_.size() - 1, rest, into);
  if (!produced) {
    error_ = produced.error();
    return fail(error_);
  }
  return Step{.consumed = input.size() - rest.size(), .produced = *produced, .is_complete = is_complete()};
}

Result<void> Decoder::finish() {
  if (!error_ && !is_complete()) error_ = Errc::bad_content_coding;
  if (error_) return fail(error_);
  return {};
}

bool Decoder::is_complete() const {
  return std::ranges::all_of(layers_, [](const Layer& layer) { return layer.is_complete && layer.waiting.empty(); });
}

Result<std::size_t> Decoder::pull(std::size_t index, Bytes& input, MutableBytes into) {
  Layer& layer = layers_[index];
  Bytes& source = index == 0 ? input : layer.waiting;
  std::size_t produced = 0;
  for (;;) {
    const MutableBytes room = into.subspan(produced, std::min(into.size() - produced, internal::kMaxStageBytes));
    const Result<Step> step = layer.stage->next(source.substr(0, internal::kMaxStageBytes), room);
    if (!step) return fail(step.error());
    source.remove_prefix(step->consumed);
    produced += step->produced;
    layer.is_complete = step->is_complete;
    if (index == layers_.size() - 1) produced_ += step->produced;
    if (produced == into.size()) return produced;
    if (!source.empty() || step->produced == room.size()) continue;
    const Result<bool> has_more = refill(index, input);
    if (!has_more) return fail(has_more.error());
    if (!*has_more) return produced;
  }
}

// Asks the layer before for more.
Result<bool> Decoder::refill(std::size_t index, Bytes& input) {
  if (index == 0) return false;
  Layer& layer = layers_[index];
  if (layer.taken > kMaxIdleBytes + kMaxIdlePerOctet * produced_) return fail(Errc::bad_content_coding);
  const Result<std::size_t> more = pull(index - 1, input, *layer.between);
  if (!more) return fail(more.error());
  layer.waiting = {layer.between->data(), *more};
  layer.taken += *more;
  return *more > 0;
}

}  // namespace pipette::coding
