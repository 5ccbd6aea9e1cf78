// FailureProbe: how the lab learns that the body of a test has failed, in whatever framework it is written.
//
//   body ──> probe.run(body) ──> nothing | why it failed        thousands of times, and the framework hears of none
//                                   └──> probe.report(text)     once, when the lab has found and shrunk the failure
//   a peer's expectation ──> probe.abandon(text, where)         fails the test at the line that expected, and ends it
//
// The explorer and the fault sweeps run one body again and again and expect most of its failures themselves, so what
// a body says in a probed run is intercepted: EXPECT_EQ, CHECK and their kind, and whatever it throws.
//
//   lab/gtest.h   GTestProbe         lab/catch2.h   Catch2Probe         lab/doctest.h   DoctestProbe
//   here          ExceptionProbe, which knows of exceptions only: for a main() of its own, and for other frameworks
//
// Errors    run() lets nothing out that derives from no std::exception either.
// Lifetime  a probe outlives the runs it is given to; probes may be nested.   Threads  that of the test.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>

namespace pipette::lab {

class FailureProbe {
 public:
  FailureProbe() = default;
  FailureProbe(const FailureProbe&) = delete;
  FailureProbe& operator=(const FailureProbe&) = delete;
  virtual ~FailureProbe() = default;

  // Runs `body` once: why it failed, or nothing. The text is the same for the same failure.
  virtual std::optional<std::string> run(const std::function<void()>& body) = 0;

  // Makes the test fail, as one failure with this text, at the place that is told.
  virtual void report(const std::string& text, std::source_location where) = 0;
  // The same, and ends the body: throws what says that the framework has been told. A body that catches it has failed
  // all the same.
  [[noreturn]] virtual void abandon(const std::string& text, std::source_location where);
  // The command that runs the present test alone, as the framework's runner takes it; empty where none is known.
  virtual std::string rerun_command() const { return ""; }
  // At the place of the call.
  void fail_here(const std::string& text, std::source_location where = std::source_location::current()) {
    report(text, where);
  }
};

// What a body throws that fails without a framework, and what ExceptionProbe reports with.
class Failed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void FailureProbe::abandon(const std::string& text, std::source_location where) {
  report(text, where);
  throw Failed(text);
}

// In words, of the exception that is being handled.
inline std::string describe_current_exception() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return std::string("threw: ") + exception.what();
  } catch (...) {
    return "threw what is no std::exception";
  }
}

// "tests/a_test.cc:12: why": one failure, as the probes put them together.
inline void append_failure(std::string& text, const char* file, int line, const std::string& why) {
  if (!text.empty()) text += "\n";
  if (file != nullptr && *file != '\0') text.append(file).append(":").append(std::to_string(line)).append(": ");
  text += why;
}

class ExceptionProbe final : public FailureProbe {
 public:
  std::optional<std::string> run(const std::function<void()>& body) override {
    try {
      body();
      return std::nullopt;
    } catch (...) {
      return describe_current_exception();
    }
  }

  // Throws it, which every framework takes for a failure.
  void report(const std::string& text, std::source_location where) override {
    std::string located;
    append_failure(located, where.file_name(), static_cast<int>(where.line()), text);
    throw Failed(located);
  }
};

// That of the framework whose adapter this program includes (gtest.h, catch2.h, doctest.h); a null function where none
// is: the adapter defines it.
[[gnu::weak]] FailureProbe& framework_probe();

// The framework's, or else one that knows exceptions only.
inline FailureProbe& default_probe() {
  if (framework_probe != nullptr) return framework_probe();
  static ExceptionProbe probe;
  return probe;
}

}  // namespace pipette::lab
