// Credentials and base64: an octet string has one text and a text one octet string, and what is accepted is what would
// be written.
#include <string>

#include "pipette/base/base64.h"
#include "pipette/http/auth.h"

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

// Bit by bit, for comparison.
std::string encode_slowly(std::string_view octets, bool is_url, bool is_padded) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const std::string alphabet = std::string(kAlphabet) + (is_url ? "-_" : "+/");
  std::string text;
  for (std::size_t bit = 0; bit < octets.size() * 8; bit += 6) {
    std::size_t digit = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const auto octet = static_cast<unsigned char>(i / 8 < octets.size() ? octets[i / 8] : 0);
      digit = digit * 2 + (octet >> (7 - i % 8) & 1);
    }
    text += alphabet[digit];
  }
  while (is_padded && text.size() % 4 != 0) text += '=';
  return text;
}

void require_base64(std::string_view octets) {
  for (const Base64 form : {Base64::standard, Base64::url, Base64::url_unpadded}) {
    const test::ExactBlock block(octets);
    std::string text;
    append_base64(block.octets(), text, form);
    require(text == encode_slowly(octets, form != Base64::standard, form != Base64::url_unpadded));
    require(text.size() == base64_size(octets.size(), form));
    std::string back;
    require(append_base64_decoded(text, back, form) && back == octets);

    back.clear();
    if (append_base64_decoded(block.octets(), back, form)) {
      text.clear();
      append_base64(back, text, form);
      require(text == octets);
    } else {
      require(back.empty());
    }
  }
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

void require_credentials(std::string_view value) {
  const test::ExactBlock block(value);
  std::string decoded;
  if (const auto basic = http::parse_basic(block.octets(), decoded)) {
    require(!basic->user.contains(':') && is_plain(basic->user) && is_plain(basic->password));
    std::string again;
    require(http::write_basic(*basic, again).has_value());
    require(value.ends_with(again.substr(6)));
  }
  if (const auto bearer = http::parse_bearer(block.octets())) {
    require(!bearer->empty() && value.ends_with(*bearer));
    for (const char c : *bearer) require(is_letter_or_digit(c) || is_one_of(c, "-._~+/="));
    std::string again;
    require(http::write_bearer(*bearer, again).has_value());
    require(http::parse_bearer(again) == *bearer);
  }
}

void require_written_credentials(std::string_view octets) {
  const std::size_t half = octets.size() / 2;
  const http::BasicCredentials credentials{octets.substr(0, half), octets.substr(half)};
  std::string value;
  const bool is_written = http::write_basic(credentials, value).has_value();
  require(is_written == (is_plain(octets) && !credentials.user.contains(':')));
  std::string decoded;
  require(!is_written || http::parse_basic(value, decoded) == credentials);
  require(http::equal_in_constant_time(credentials.user, credentials.password) ==
          (credentials.user == credentials.password));
}

void run(std::string_view octets) {
  require_base64(octets);
  require_credentials(octets);
  require_credentials("Basic " + std::string(octets));
  require_written_credentials(octets);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
