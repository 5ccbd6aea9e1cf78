// br, by brotli's decoder.
#include <brotli/decode.h>
#include <cstdint>
#include <memory>
#include <new>

#include "pipette/coding/internal/stage.h"

namespace pipette::coding::internal {
namespace {

struct Destroy {
  void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
};

bool is_out_of_memory(BrotliDecoderErrorCode error) {
  return error <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && error >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

class BrotliStage final : public Stage {
 public:
  BrotliStage() : decoder_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!decoder_) throw std::bad_alloc();
  }

  Result<Step> next(Bytes input, MutableBytes into) override {
    if (state_ == State::behind_end && !input.empty()) return fail(Errc::bad_content_coding);
    if (state_ == State::behind_end || (state_ == State::before_all && input.empty())) return Step{.is_complete = true};
    std::size_t left = input.size();
    std::size_t room = into.size();
    auto* from = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* to = reinterpret_cast<std::uint8_t*>(into.data());
    const auto result = BrotliDecoderDecompressStream(decoder_.get(), &left, &from, &room, &to, nullptr);
    state_ = result == BROTLI_DECODER_RESULT_SUCCESS ? State::behind_end : State::inside;
    if (is_out_of_memory(BrotliDecoderGetErrorCode(decoder_.get()))) throw std::bad_alloc();
    if (result == BROTLI_DECODER_RESULT_ERROR) return fail(Errc::bad_content_coding);
    return Step{input.size() - left, into.size() - room, state_ == State::behind_end};
  }

 private:
  enum class State : std::uint8_t { before_all, inside, behind_end };

  std::unique_ptr<BrotliDecoderState, Destroy> decoder_;
  State state_ = State::before_all;
};

}  // namespace

std::unique_ptr<Stage> make_brotli_stage() { return std::make_unique<BrotliStage>(); }

}  // namespace pipette::coding::internal
