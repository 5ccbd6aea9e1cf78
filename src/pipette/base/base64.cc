#include "pipette/base/base64.h"

#include <array>
#include <cassert>

namespace pipette {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint32_t kNoDigit = 0x80;  // or-ed with digits it stays visible

using Digits = std::array<std::uint8_t, 256>;

consteval Digits make_digits(std::string_view alphabet) {
  Digits digits;
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}

constexpr Digits kStandardDigits = make_digits(kStandard);
constexpr Digits kUrlDigits = make_digits(kUrl);

std::uint32_t octet_at(Bytes octets, std::size_t at) { return static_cast<std::uint8_t>(octets[at]); }

// The digits of `text` without their padding; nothing when that is not what `form` demands.
Result<std::string_view> without_padding(std::string_view text, Base64 form) {
  if (form == Base64::url_unpadded) return text;
  if (text.size() % 4 != 0) return fail(Errc::bad_base64);
  if (text.ends_with("==")) return text.substr(0, text.size() - 2);
  if (text.ends_with('=')) return text.substr(0, text.size() - 1);
  return text;
}

class Decoder {
 public:
  Decoder(const Digits& digits, char* out) : digits_(digits), out_(out) {}

  // Four digits are three octets.
  void take_four(const char* at) {
    const std::uint32_t a = digit(at[0]);
    const std::uint32_t b = digit(at[1]);
    const std::uint32_t c = digit(at[2]);
    const std::uint32_t d = digit(at[3]);
    put(a << 2 | b >> 4);
    put(b << 4 | c >> 2);
    put(c << 6 | d);
  }

  // The last two or three are one or two, with nothing left over.
  bool take_rest(std::string_view rest) {
    if (rest.empty()) return true;
    if (rest.size() == 1) return false;
    const std::uint32_t a = digit(rest[0]);
    const std::uint32_t b = digit(rest[1]);
    put(a << 2 | b >> 4);
    if (rest.size() == 2) return (b & 0xf) == 0;
    const std::uint32_t c = digit(rest[2]);
    put(b << 4 | c >> 2);
    return (c & 3) == 0;
  }

  bool has_failed() const { return (seen_ & kNoDigit) != 0; }
  const char* end() const { return out_; }

 private:
  std::uint32_t digit(char c) {
    const std::uint32_t value = digits_[static_cast<std::uint8_t>(c)];
    seen_ |= value;
    return value;
  }
  void put(std::uint32_t octet) { *out_++ = static_cast<char>(octet & 0xff); }

  const Digits& digits_;
  char* out_;
  std::uint32_t seen_ = 0;
};

}  // namespace

std::size_t encode_base64(Bytes octets, MutableBytes into, Base64 form) {
  assert(into.size() >= base64_size(octets.size(), form));
  const std::string_view alphabet = form == Base64::standard ? kStandard : kUrl;
  char* out = into.data();
  const auto put = [&](std::uint32_t bits) { *out++ = alphabet[bits & 0x3f]; };

  std::size_t at = 0;
  for (; at + 3 <= octets.size(); at += 3) {
    const std::uint32_t bits = octet_at(octets, at) << 16 | octet_at(octets, at + 1) << 8 | octet_at(octets, at + 2);
    put(bits >> 18);
    put(bits >> 12);
    put(bits >> 6);
    put(bits);
  }
  const std::size_t rest = octets.size() - at;
  if (rest > 0) {
    const std::uint32_t bits = octet_at(octets, at) << 16 | (rest == 2 ? octet_at(octets, at + 1) << 8 : 0);
    put(bits >> 18);
    put(bits >> 12);
    if (rest == 2) put(bits >> 6);
    for (std::size_t i = rest; i < 3 && form != Base64::url_unpadded; ++i) *out++ = '=';
  }
  return static_cast<std::size_t>(out - into.data());
}

Result<std::size_t> decode_base64(std::string_view text, MutableBytes into, Base64 form) {
  assert(into.size() >= max_base64_octets(text.size()));
  const Result<std::string_view> digits = without_padding(text, form);
  if (!digits) return fail(digits.error());

  Decoder decoder(form == Base64::standard ? kStandardDigits : kUrlDigits, into.data());
  const std::size_t fours = digits->size() / 4 * 4;
  for (std::size_t at = 0; at < fours; at += 4) decoder.take_four(digits->data() + at);
  if (!decoder.take_rest(digits->substr(fours)) || decoder.has_failed()) return fail(Errc::bad_base64);
  return static_cast<std::size_t>(decoder.end() - into.data());
}

void append_base64(Bytes octets, std::string& out, Base64 form) {
  const std::size_t before = out.size();
  out.resize(before + base64_size(octets.size(), form));
  encode_base64(octets, MutableBytes(out).subspan(before), form);
}

Result<void> append_base64_decoded(std::string_view text, std::string& out, Base64 form) {
  const std::size_t before = out.size();
  out.resize(before + max_base64_octets(text.size()));
  const Result<std::size_t> size = decode_base64(text, MutableBytes(out).subspan(before), form);
  out.resize(before + size.value_or(0));
  if (!size) return fail(size.error());
  return {};
}

}  // namespace pipette
