// A server for the tests of processes, which do to it what an administrator would.
//
//   test_server [--threads N] [--pin] [--fail-if PATH] [--hang-if PATH] [--throw-if PATH] [--wait-if PATH]
//               [--quit-if PATH] [--ready-ms N] [--next-at ADDRESS] [--prefork N] ADDRESS ...
//
// It answers with its process id, takes SIGUSR2 and SIGHUP, and writes a line for each thing that happens:
//   listening PID ADDRESS · reloaded PID · ended PID SERVED CUT · failed PID WHY · quit PID
// If there is such a file, --fail-if and --hang-if have it exit, or wait for ever, before it listens, and --wait-if,
// until nobody has that FIFO open for writing any more; --throw-if has it throw what is no exception when it listens,
// and --quit-if say that it is ready, and end. The next process is given the same arguments, or --next-at's alone.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "pipette/app/prefork.h"
#include "pipette/app/serve.h"

namespace {

using namespace std::chrono_literals;
using namespace pipette;

struct Arguments {
  std::size_t threads = 1;
  bool pins = false;
  std::size_t prefork = 0;
  std::chrono::milliseconds ready_timeout = 60s;
  std::filesystem::path fails_if;
  std::filesystem::path hangs_if;
  std::filesystem::path throws_if;
  std::filesystem::path waits_if;
  std::filesystem::path quits_if;
  std::string next_at;
  std::vector<app::ListenAt> addresses;
};

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--threads") {
      arguments.threads = std::stoul(words[++i]);
    } else if (word == "--pin") {
      arguments.pins = true;
    } else if (word == "--prefork") {
      arguments.prefork = std::stoul(words[++i]);
    } else if (word == "--ready-ms") {
      arguments.ready_timeout = std::chrono::milliseconds(std::stoi(words[++i]));
    } else if (word == "--fail-if") {
      arguments.fails_if = words[++i];
    } else if (word == "--hang-if") {
      arguments.hangs_if = words[++i];
    } else if (word == "--throw-if") {
      arguments.throws_if = words[++i];
    } else if (word == "--wait-if") {
      arguments.waits_if = words[++i];
    } else if (word == "--quit-if") {
      arguments.quits_if = words[++i];
    } else if (word == "--next-at") {
      arguments.next_at = words[++i];
    } else {
      arguments.addresses.push_back({.address = std::string(word)});
    }
  }
  return arguments;
}

// In one piece, since processes share the output.
void say(const std::string& what, const std::string& more = "") {
  const std::string line = what + " " + std::to_string(::getpid()) + (more.empty() ? "" : " " + more) + "\n";
  (void)!::write(STDOUT_FILENO, line.data(), line.size());
}

void answer(RequestCtx& ctx) { ctx.set_body(std::to_string(::getpid())); }

int serve(const Arguments& arguments) {
  server::ServerOptions options;
  options.log = [](std::string_view line) { say("log", std::string(line)); };
  const Server server(answer, options);
  ServeOptions serving;
  serving.threads = arguments.threads;
  serving.pin_threads = arguments.pins;
  serving.shutdown_grace = 10s;
  serving.on_listening = [&arguments](const net::Address& address) {
    if (std::filesystem::exists(arguments.throws_if)) throw 3;
    say("listening", address.to_string());
  };
  serving.on_reload = [] { say("reloaded"); };
  serving.hand_over.emplace();
  serving.hand_over->ready_timeout = arguments.ready_timeout;
  if (!arguments.next_at.empty()) serving.hand_over->arguments = {arguments.next_at};
  const server::ShutdownReport report = serve_tcp(server, arguments.addresses, serving);
  say("ended", std::to_string(report.served) + " " + std::to_string(report.cut));
  return 0;
}

int quit() {
  const int ready = std::stoi(std::getenv("PIPETTE_READY_FD"));
  (void)!::write(ready, "r", 1);
  ::close(ready);
  say("quit");
  return 0;
}

// The addresses are the master's to open; its processes ask for the same and find them.
int serve_many(const Arguments& arguments) {
  PreforkOptions options;
  options.addresses = arguments.addresses;
  options.processes = arguments.prefork;
  options.first_pause = 1ms;
  options.longest_pause = 5ms;
  options.recover_threshold = 3;
  options.log = [](std::string_view line) { say("log", std::string(line)); };
  say("master");
  const app::PreforkReport report = prefork(options, [&arguments](std::size_t) {
    return std::filesystem::exists(arguments.fails_if) ? 3 : serve(arguments);
  });
  say("over", std::to_string(report.restarts) + (report.gave_up ? " gave-up" : ""));
  return report.gave_up ? 1 : 0;
}

}  // namespace

int main(int count, char** words) try {
  const Arguments arguments = parse(count, words);
  if (arguments.prefork > 0) return serve_many(arguments);
  if (std::filesystem::exists(arguments.fails_if)) return 3;
  if (std::filesystem::exists(arguments.hangs_if)) ::pause();
  if (std::filesystem::exists(arguments.waits_if)) std::ifstream(arguments.waits_if).get();
  if (std::filesystem::exists(arguments.quits_if)) return quit();
  return serve(arguments);
} catch (const std::exception& error) {
  say("failed", error.what());
  return 1;
} catch (int status) {
  say("failed");
  return status;
}
