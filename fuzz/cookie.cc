// The cookies of a request: what is read comes from a slow reading of the whole field, and what is written is read
// back.
#include "pipette/http/cookie.h"

#include <string>
#include <vector>

#include "fuzz/grammar.h"
#include "fuzz/require.h"

namespace pipette::fuzz {
namespace {

constexpr std::size_t kLimit = 8;

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

struct Pair {
  std::string name, value;
};

// One octet after another, without the code under test.
std::vector<Pair> read_slowly(std::string_view lines) {
  std::vector<Pair> pairs;
  std::string part;
  for (std::size_t i = 0; i <= lines.size(); ++i) {
    if (i < lines.size() && lines[i] != ';' && lines[i] != '\n') {
      part += lines[i];
      continue;
    }
    const std::size_t equals = part.find('=');
    Pair pair;
    if (equals != std::string::npos) pair.name = trimmed(part.substr(0, equals));
    pair.value = trimmed(equals == std::string::npos ? part : part.substr(equals + 1));
    if (!pair.name.empty() || !pair.value.empty()) pairs.push_back(pair);
    part.clear();
  }
  return pairs;
}

bool is_cookie_value(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  for (const char c : value) {
    if (c <= ' ' || c == 0x7f || is_one_of(c, "\",;\\")) return false;
  }
  return true;
}

void require_read_back(const std::string& line, const Pair& pair) {
  http::OwnedFields fields;
  require(fields.add("Cookie", line).has_value());
  http::CookieReader reader(fields.view());
  const auto first = reader.next();
  require(first && *first && (*first)->name == "first");
  const auto second = reader.next();
  require(second && *second && (*second)->name == pair.name && (*second)->value == pair.value);
  const auto end = reader.next();
  require(end && !*end);
}

void run(std::string_view lines) {
  http::OwnedFields fields;
  for (std::string_view rest = lines;;) {
    const std::size_t end = rest.find('\n');
    if (!fields.add("Cookie", rest.substr(0, end))) return;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }

  http::CookieReader reader(fields.view(), kLimit);
  std::size_t count = 0;
  for (const Pair& pair : read_slowly(lines)) {
    const auto cookie = reader.next();
    require(cookie.has_value() == (count < kLimit));
    if (!cookie) {
      require(cookie.error() == Errc::too_many_cookies);
      return;
    }
    ++count;
    require(*cookie && (*cookie)->name == pair.name && (*cookie)->value == pair.value);
    require(http::cookie_value(fields.view(), pair.name).has_value());
    const std::string_view bare = http::unquoted(pair.value);
    require(bare == pair.value || '"' + std::string(bare) + '"' == pair.value);

    std::string line = "first=1";
    if (http::append_cookie(line, pair.name, pair.value)) {
      require_token(pair.name);
      require(is_cookie_value(pair.value));
      require_read_back(line, pair);
    }
    line = "first=1";
    if (http::append_received_cookie(line, **cookie)) {
      require_read_back(line, pair);
    } else {
      require(pair.name.empty() && pair.value.contains('='));
    }
  }
  const auto end = reader.next();
  require(end && !*end);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
