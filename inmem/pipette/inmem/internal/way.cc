#include "pipette/inmem/internal/way.h"

namespace pipette::inmem::internal {

struct Way::Triggered final : net::Trigger {
  explicit Triggered(Link::Armed armed) : trigger(std::move(armed.trigger)), toxics(armed.toxics) {}

  void begin_write() override { trigger->begin_write(); }
  std::size_t pass(Bytes next) override {
    const std::size_t count = trigger->pass(next);
    has_struck = has_struck || count < next.size();
    return count;
  }

  std::unique_ptr<net::Trigger> trigger;
  net::Toxics toxics;
  bool has_struck = false;
};

Way::Way(WayOwner& owner, std::uint8_t from, const PipeSetup& setup, Decisions& decisions)
    : side(from),
      reader(*setup.loops[1U - from]),
      writer(*setup.loops[from]),
      channel(setup.options[from], decisions, std::uint64_t{setup.number} * 2 + from),
      owner_(owner),
      wire_loop_(*setup.wire_loop) {}

Way::~Way() = default;

void Way::go_over(Link& link) {
  if (Link::Armed armed = link.make_trigger(); armed.trigger) {
    trigger_ = std::make_unique<Triggered>(std::move(armed));
  }
  set_toxics(link.toxics());
  link.join(*this);
}

void Way::set_toxics(const net::Toxics& toxics) {
  of_link_ = toxics;
  const bool waits_to_strike = trigger_ != nullptr && !trigger_->has_struck;
  if (waits_to_strike) channel.arm(*trigger_, combined(of_link_, combined(of_itself_, trigger_->toxics)));
  net::Toxics all = combined(of_link_, of_itself_);
  if (trigger_ != nullptr && trigger_->has_struck) all = combined(all, trigger_->toxics);
  if (!channel.is_plain() || !all.is_none()) channel.set_toxics(all, wire_loop_.now());
  owner_.act(*this);
  reader.wake();
  writer.wake();
}

void Way::fall_silent() {
  of_itself_.with_black_hole();
  set_toxics(of_link_);
}

void Way::heal() {
  if (trigger_ == nullptr && of_itself_.is_none()) return;
  channel.disarm();
  trigger_.reset();
  of_itself_ = net::Toxics();
  set_toxics(of_link_);
}

}  // namespace pipette::inmem::internal
