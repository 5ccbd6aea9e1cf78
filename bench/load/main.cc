// pipette_load: asks a server over TCP again and again, and tells how long it took to answer (arguments.h, load.h).

#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipette/http/uri.h"
#include "pipette/tcp/runtime.h"
#include "pipette/tls/security.h"

#include "bench/load/arguments.h"
#include "bench/load/load.h"

namespace {

using namespace pipette;

Duration processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

load::Report run_alone(const load::LoadOptions& options) {
  tcp::Runtime runtime;
  load::Load load(runtime, options);
  runtime.run(load.run());
  return load.report();
}

// For https, which all threads share.
std::unique_ptr<tls::Security> security_for(const load::Arguments& arguments) {
  const Result<http::HttpUrl> url = http::parse_http_url(arguments.load.request.url);
  if (!url || !url->is_https) return nullptr;
  tls::Options options;
  options.skips_verification = arguments.is_insecure;
  return std::make_unique<tls::Security>(std::move(options));
}

load::Report run_all(const load::Arguments& arguments) {
  std::vector<load::Report> reports(arguments.threads);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < arguments.threads; ++i) {
    threads.emplace_back([&, i] { reports[i] = run_alone(load::share_of(arguments, i)); });
  }
  reports[0] = run_alone(load::share_of(arguments, 0));
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 1; i < reports.size(); ++i) reports[0] += reports[i];
  reports[0].processor_time = processor_time();
  return reports[0];
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> words(argv + 1, argv + argc);
  auto arguments = load::parse_arguments(words);
  if (!arguments) {
    std::fprintf(stderr, "%s: %s\n%s", argv[0], arguments.error().c_str(), std::string(load::kUsage).c_str());
    return 2;
  }
  try {
    const std::unique_ptr<tls::Security> security = security_for(*arguments);
    arguments->load.security = security.get();
    const load::Report report = run_all(*arguments);
    const std::string told = arguments->is_json ? load::to_json(report) + "\n" : load::to_text(report);
    std::fputs(told.c_str(), stdout);
    return report.responses > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
