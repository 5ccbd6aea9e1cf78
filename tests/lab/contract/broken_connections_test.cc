// Whether the contract suite catches connections that break the contract: it is run on a whole one, and on many that
// each break one rule. The whole one must pass, and each of the others must fail somewhere.
//
//   pipette_broken_connections      prints who was caught by how many tests, and by which first
#include <cstdio>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/contract/connection_contract.h"

namespace pipette::lab {
namespace {

// Hands everything on, as a user's own connection might.
class Wrapped : public Connection {
 public:
  explicit Wrapped(std::unique_ptr<Connection> inner) : inner_(std::move(inner)) {}

  Result<std::size_t> try_read(MutableBytes into) override { return inner_->try_read(into); }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override { return inner_->try_write(pieces); }
  Result<void> try_close_write() override { return inner_->try_close_write(); }
  void wait(Direction direction, Waiter& waiter) override { inner_->wait(direction, waiter); }
  void set_deadline(Direction direction, TimePoint deadline) override { inner_->set_deadline(direction, deadline); }
  void abort() override { inner_->abort(); }

 protected:
  Connection& inner() { return *inner_; }

 private:
  std::unique_ptr<Connection> inner_;
};

// ---- one broken rule each -------------------------------------------------------------------------------------------

struct SwapsOctets final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    if (count && *count > 1) std::swap(into[0], into[1]);
    return count;
  }
};

struct LosesOctets final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    return count && *count > 1 ? *count - 1 : count;
  }
};

struct WritesOnlyTheFirstPiece final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override {
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    const Result<std::size_t> taken = Wrapped::try_write(pieces.first(pieces.empty() ? 0 : 1));
    return taken ? Result<std::size_t>(size) : taken;
  }
};

struct EndsWithBothDirections final : Wrapped {
  using Wrapped::Wrapped;
  Result<void> try_close_write() override {
    abort();
    return {};
  }
};

struct ForgetsToClose final : Wrapped {
  using Wrapped::Wrapped;
  Result<void> try_close_write() override { return {}; }
};

struct FailsAtTheEndInsteadOfZero final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    return count && *count == 0 ? fail(Errc::end_of_stream) : count;
  }
};

struct SaysEndInsteadOfWouldBlock final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    return !count && count.error() == Errc::would_block ? 0 : count;
  }
};

struct IgnoresReadDeadlines final : Wrapped {
  using Wrapped::Wrapped;
  void set_deadline(Direction direction, TimePoint deadline) override {
    if (direction == Direction::write) Wrapped::set_deadline(direction, deadline);
  }
};

struct HasOneDeadlineForBothDirections final : Wrapped {
  using Wrapped::Wrapped;
  void set_deadline(Direction, TimePoint deadline) override {
    Wrapped::set_deadline(Direction::read, deadline);
    Wrapped::set_deadline(Direction::write, deadline);
  }
};

struct NeverClearsDeadlines final : Wrapped {
  using Wrapped::Wrapped;
  void set_deadline(Direction direction, TimePoint deadline) override {
    if (deadline != kNever) Wrapped::set_deadline(direction, deadline);
  }
};

struct ReadsPastItsDeadline final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    if (count || count.error() != Errc::timed_out) return count;
    set_deadline(Direction::read, kNever);
    return Wrapped::try_read(into);
  }
};

struct WakesForeverAtItsDeadline final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    if (count || count.error() != Errc::timed_out) return count;
    return fail(Errc::would_block);
  }
};

struct LosesReaders final : Wrapped {
  using Wrapped::Wrapped;
  void wait(Direction direction, Waiter& waiter) override {
    if (direction == Direction::write) Wrapped::wait(direction, waiter);
  }
};

struct AbortsOneDirection final : Wrapped {
  using Wrapped::Wrapped;
  void abort() override { std::ignore = try_close_write(); }
};

struct AbortsWithAnError final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    if (count || count.error() != std::errc::operation_canceled) return count;
    return fail(Errc::connection_reset);
  }
};

struct HidesResets final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_read(MutableBytes into) override {
    const Result<std::size_t> count = Wrapped::try_read(into);
    return !count && count.error() == std::errc::connection_reset ? 0 : count;
  }
};

struct WritesAfterClose final : Wrapped {
  using Wrapped::Wrapped;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override {
    const Result<std::size_t> taken = Wrapped::try_write(pieces);
    if (taken || taken.error() != std::errc::broken_pipe) return taken;
    return pieces.empty() ? 0 : pieces[0].size();
  }
};

// ---- running the suite on them --------------------------------------------------------------------------------------

template <class C>
class WrappedPipe final : public ConnectionTransport {
 public:
  async::Loop& loop() override { return world_.loop(); }
  bool step() override { return world_.step(); }
  Ends connect() override {
    auto [here, there] = inmem::make_pipe(world_.loop());
    return {std::make_unique<C>(std::move(here)), std::make_unique<C>(std::move(there))};
  }

 private:
  inmem::World world_;
};

template <class C>
ConnectionCase wrapped(std::string name) {
  return {std::move(name), [] { return std::make_unique<WrappedPipe<C>>(); }};
}

const auto kConnections = testing::Values(
    wrapped<Wrapped>("Whole"), wrapped<SwapsOctets>("SwapsOctets"), wrapped<LosesOctets>("LosesOctets"),
    wrapped<WritesOnlyTheFirstPiece>("WritesOnlyTheFirstPiece"),
    wrapped<EndsWithBothDirections>("EndsWithBothDirections"), wrapped<ForgetsToClose>("ForgetsToClose"),
    wrapped<FailsAtTheEndInsteadOfZero>("FailsAtTheEndInsteadOfZero"),
    wrapped<SaysEndInsteadOfWouldBlock>("SaysEndInsteadOfWouldBlock"),
    wrapped<IgnoresReadDeadlines>("IgnoresReadDeadlines"),
    wrapped<HasOneDeadlineForBothDirections>("HasOneDeadlineForBothDirections"),
    wrapped<NeverClearsDeadlines>("NeverClearsDeadlines"), wrapped<ReadsPastItsDeadline>("ReadsPastItsDeadline"),
    wrapped<WakesForeverAtItsDeadline>("WakesForeverAtItsDeadline"), wrapped<LosesReaders>("LosesReaders"),
    wrapped<AbortsOneDirection>("AbortsOneDirection"), wrapped<AbortsWithAnError>("AbortsWithAnError"),
    wrapped<HidesResets>("HidesResets"), wrapped<WritesAfterClose>("WritesAfterClose"));

INSTANTIATE_TEST_SUITE_P(Broken, ConnectionContract, kConnections, case_name);

// The tests that failed, by the connection they failed on.
std::map<std::string, std::vector<std::string>> failures() {
  std::map<std::string, std::vector<std::string>> found;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const testing::TestInfo& test = *suite.GetTestInfo(j);
      const std::string name = test.name();
      const std::size_t slash = name.rfind('/');
      std::vector<std::string>& failed = found[name.substr(slash + 1)];
      if (test.result()->Failed()) failed.push_back(name.substr(0, slash));
    }
  }
  return found;
}

// Prints the verdict on each connection; how many are not as they should be.
int judge() {
  int wrong = 0;
  for (const auto& [connection, failed] : failures()) {
    const bool should_fail = connection != "Whole";
    const bool is_right = failed.empty() != should_fail;
    if (!is_right) ++wrong;
    std::printf("%-6s %-32s fails %2zu", is_right ? "ok" : "WRONG", connection.c_str(), failed.size());
    std::printf("%s%s\n", failed.empty() ? "" : ": ", failed.empty() ? "" : failed.front().c_str());
  }
  return wrong;
}

}  // namespace
}  // namespace pipette::lab

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  const std::unique_ptr<testing::TestEventListener> printer(listeners.Release(listeners.default_result_printer()));
  std::ignore = RUN_ALL_TESTS();
  const int wrong = pipette::lab::judge();
  std::printf("%d of the connections are not judged as they should be\n", wrong);
  return wrong == 0 ? 0 : 1;
}
