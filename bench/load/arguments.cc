#include "bench/load/arguments.h"

#include <array>
#include <charconv>
#include <optional>

#include "pipette/http/method.h"
#include "pipette/http/uri.h"

namespace pipette::load {

const std::string_view kUsage =
    "usage: pipette_load URL [--connections 64] [--pipeline 1] [--duration 10s] [--rate REQUESTS_A_SECOND]\n"
    "                    [--method GET] [--body TEXT] [--header 'NAME: VALUE']... [--timeout 30s] [--threads 1] "
    "[--json]\n"
    "\n"
    "Without --rate as fast as the server answers. With it requests start on schedule, and latency counts from when\n"
    "each was due: what a server that stands still does to its users shows in it. With --insecure the certificate of\n"
    "an https server is not verified.\n";

namespace {

using Problem = std::optional<std::string>;

constexpr std::uint64_t kMostConnections = 100'000;
constexpr std::uint64_t kMostThreads = 256;
constexpr std::uint64_t kHighestRate = 100'000'000;
constexpr std::uint64_t kLongestSeconds = 24 * 3600;

// Nothing unless `text` is a whole number from 1 to `most`.
std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || number == 0 || number > most) return std::nullopt;
  return number;
}

// "10s", "250ms", "2m".
std::optional<Duration> duration_of(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr std::array kUnits = {Unit{"ms", std::chrono::milliseconds(1)}, Unit{"s", std::chrono::seconds(1)},
                                 Unit{"m", std::chrono::minutes(1)}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto most = static_cast<std::uint64_t>(std::chrono::seconds(kLongestSeconds) / unit.length);
    const auto number = number_of(text.substr(0, text.size() - unit.name.size()), most);
    if (number) return static_cast<Duration::rep>(*number) * unit.length;
  }
  return std::nullopt;
}

template <class T, class U>
Problem take(const std::optional<T>& value, U& into, const char* wanted) {
  if (!value) return wanted;
  into = static_cast<U>(*value);
  return std::nullopt;
}

Problem set_url(std::string_view value, Arguments& arguments) {
  const Result<http::HttpUrl> url = http::parse_http_url(value);
  if (!url) return url.error().message();
  arguments.load.request.url = value;
  return std::nullopt;
}

Problem set_method(std::string_view value, Arguments& arguments) {
  arguments.load.request.method = http::method_of(value);
  if (arguments.load.request.method == http::Method::other) return "not a method that is known";
  return std::nullopt;
}

Problem add_header(std::string_view value, Arguments& arguments) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos) return "wants NAME: VALUE";
  std::string_view text = value.substr(colon + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const Result<void> added = arguments.load.request.fields.add(value.substr(0, colon), text);
  if (!added) return added.error().message();
  return std::nullopt;
}

struct Option {
  std::string_view name;
  Problem (*set)(std::string_view value, Arguments& arguments);
};

constexpr const char* kNumberWanted = "wants a whole number above 0, and not too large";
constexpr const char* kDurationWanted = "wants a time such as 10s, 250ms or 2m";

constexpr std::array kOptions = {
    Option{"--connections",
           [](std::string_view value, Arguments& arguments) {
             return take(number_of(value, kMostConnections), arguments.load.connections, kNumberWanted);
           }},
    Option{"--pipeline",
           [](std::string_view value, Arguments& arguments) {
             return take(number_of(value, kMostConnections), arguments.load.depth, kNumberWanted);
           }},
    Option{"--threads",
           [](std::string_view value, Arguments& arguments) {
             return take(number_of(value, kMostThreads), arguments.threads, kNumberWanted);
           }},
    Option{"--rate",
           [](std::string_view value, Arguments& arguments) {
             return take(number_of(value, kHighestRate), arguments.load.rate, kNumberWanted);
           }},
    Option{"--duration",
           [](std::string_view value, Arguments& arguments) {
             return take(duration_of(value), arguments.load.duration, kDurationWanted);
           }},
    Option{"--timeout",
           [](std::string_view value, Arguments& arguments) {
             return take(duration_of(value), arguments.load.timeout, kDurationWanted);
           }},
    Option{"--method", set_method},
    Option{"--body",
           [](std::string_view value, Arguments& arguments) -> Problem {
             arguments.load.request.body = value;
             return std::nullopt;
           }},
    Option{"--header", add_header},
};

const Option* find_option(std::string_view name) {
  for (const Option& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

// What holds for several of them together.
Problem check(const Arguments& arguments) {
  const LoadOptions& load = arguments.load;
  if (load.request.url.empty()) return "which URL?";
  if (load.connections * load.depth > kMostConnections) return "--connections times --pipeline: at most 100000";
  if (load.connections < arguments.threads) return "--threads: each needs a connection";
  if (load.rate != 0 && load.rate < arguments.threads) return "--threads: each needs a request a second";
  return std::nullopt;
}

std::size_t part(std::size_t whole, std::size_t parts, std::size_t index) {
  return whole / parts + (index < whole % parts ? 1 : 0);
}

}  // namespace

std::expected<Arguments, std::string> parse_arguments(std::span<const char* const> arguments) {
  Arguments parsed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    Problem problem;
    if (name == "--json") {
      parsed.is_json = true;
    } else if (name == "--insecure") {
      parsed.is_insecure = true;
    } else if (!name.starts_with("--")) {
      problem = set_url(name, parsed);
    } else if (const Option* const option = find_option(name); option == nullptr) {
      problem = "no such option";
    } else if (++i == arguments.size()) {
      problem = "what is its value?";
    } else {
      problem = option->set(arguments[i], parsed);
    }
    if (problem) return std::unexpected(std::string(name) + ": " + *problem);
  }
  if (const Problem problem = check(parsed)) return std::unexpected(*problem);
  return parsed;
}

LoadOptions share_of(const Arguments& arguments, std::size_t thread) {
  LoadOptions share = arguments.load;
  share.connections = part(arguments.load.connections, arguments.threads, thread);
  share.rate = part(arguments.load.rate, arguments.threads, thread);
  return share;
}

}  // namespace pipette::load
