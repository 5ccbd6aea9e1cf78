#include "tests/interop/site.h"

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

#include "tests/interop/child.h"

namespace pipette::interop {
namespace {

constexpr std::size_t kBigBytes = 10 * 1024 * 1024;

class ChildSite final : public Site {
 public:
  template <class... Args>
  explicit ChildSite(Args&&... args) : child_(std::forward<Args>(args)...) {}

  std::uint16_t port() const override { return child_.port(); }
  void stop() override { child_.kill(); }

 private:
  Child child_;
};

// ---- nginx ---------------------------------------------------------------------------------------------------------

// Paths are relative to its folder. A single process: what one connection saw has happened for the next one too.
constexpr std::string_view kNginxSettings = R"(
daemon off;
master_process off;
pid pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 32m;
  default_type text/plain;

  server {
    listen 127.0.0.1:{port};
    root www;
    location /store/ { dav_methods PUT; create_full_put_path on; }
    location = /chunked { ssi on; ssi_types *; }
    location = /seen { return 200 "$request_method $content_length"; }
    location = /moved/301 { return 301 /seen; }
    location = /moved/302 { return 302 /seen; }
    location = /moved/303 { return 303 /seen; }
    location = /moved/307 { return 307 /seen; }
    location = /moved/308 { return 308 /seen; }
    location = /round { absolute_redirect off; return 302 /round; }
    location = /last { keepalive_timeout 0; }

    location = /two-a-connection { keepalive_requests 2; return 200 "one of two"; }
    location = /impatient { keepalive_timeout 1ms; return 200 "be quick"; }
    location = /zipped { gzip on; gzip_types *; gzip_min_length 1; }
    location = /small-bodies { client_max_body_size 1m; return 200 "fits"; }
    location = /hang-up { return 444; }
    location = /status { stub_status; }
  }
}
)";

void prepare_nginx(const std::filesystem::path& folder, std::uint16_t port) {
  const std::filesystem::path pages = folder / "www";
  std::filesystem::create_directories(pages / "folder");
  write_file(pages / "hello", "Hello");
  write_file(pages / "big", big_body());
  write_file(pages / "chunked", "one two three");
  write_file(pages / "last", "last");
  write_file(pages / "zipped", std::string(1000, 'z'));
  write_file(pages / "folder" / "index.html", "the folder");
  std::string settings(kNginxSettings);
  settings.replace(settings.find("{port}"), 6, std::to_string(port));
  write_file(folder / "conf", settings);
}

// ---- pipette
// ---------------------------------------------------------------------------------------------------------

class PipetteSite final : public Site {
 public:
  explicit PipetteSite(Loopback& loopback)
      : loopback_(loopback), server_([this](RequestCtx& ctx) { return answer(ctx); }, options()) {
    auto listener = loopback.runtime().network().listen(net::Address::ipv4({127, 0, 0, 1}, 0));
    if (!listener) throw std::system_error(listener.error(), "listen");
    port_ = (*listener)->address().port();
    tasks_.spawn(worker_.serve(std::move(*listener)));
  }

  std::uint16_t port() const override { return port_; }
  void stop() override { (void)loopback_.await(worker_.shutdown(loopback_.runtime().loop().now())); }

 private:
  static server::ServerOptions options() {
    server::ServerOptions options;
    options.max_request_body_bytes = 2 * kBigBytes;
    return options;
  }

  Task<> answer(RequestCtx& ctx) {
    const std::string path(ctx.path());
    if (path == "/hello") {
      hello(ctx);
    } else if (path == "/big") {
      ctx.set_body_view(big_body());
    } else if (path == "/chunked") {
      for (const std::string_view piece : {"one ", "two ", "three"}) {
        (void)co_await ctx.write(piece);
        (void)co_await ctx.flush();
      }
    } else if (path == "/seen") {
      ctx.set_body(std::string(ctx.method_text()) + " " + std::string(ctx.header("Content-Length").value_or("")));
    } else if (path.starts_with("/moved/")) {
      (void)ctx.redirect("/seen", std::stoi(path.substr(7)));
    } else if (path == "/round") {
      (void)ctx.redirect("/round");
    } else if (path == "/last") {
      ctx.set_connection_close();
      ctx.set_body("last");
    } else if (path.starts_with("/store/")) {
      keep(ctx, path);
    } else {
      ctx.not_found();
    }
  }

  static void hello(RequestCtx& ctx) {
    (void)ctx.set_header("ETag", "\"hello\"");
    if (ctx.header("If-None-Match") == "\"hello\"") return ctx.not_modified();
    ctx.set_body("Hello");
  }
  void keep(RequestCtx& ctx, const std::string& path) {
    if (ctx.is_put()) {
      store_[path] = ctx.body();
      ctx.set_status(201);
    } else if (const auto found = store_.find(path); found != store_.end()) {
      ctx.set_body(found->second);
    } else {
      ctx.not_found();
    }
  }

  Loopback& loopback_;
  std::map<std::string, std::string> store_;
  Server server_;
  std::uint16_t port_ = 0;
  server::Worker worker_{server_, loopback_.runtime()};
  async::TaskGroup tasks_{loopback_.runtime().loop()};
};

}  // namespace

std::string Site::url(std::string_view path, std::string_view host) const {
  return "http://" + std::string(host) + ":" + std::to_string(port()) + std::string(path);
}

const std::string& big_body() {
  static const std::string body = [] {
    std::string text;
    while (text.size() < kBigBytes) text += "0123456789abcdef";
    return text;
  }();
  return body;
}

std::unique_ptr<Site> start_nginx(Loopback& loopback) {
  const std::vector<std::string> command = {"nginx", "-p", "{folder}/", "-c", "conf", "-e", "stderr"};
  return std::make_unique<ChildSite>(loopback, command, prepare_nginx);
}

std::unique_ptr<Site> start_nethttp(Loopback& loopback) {
  const std::filesystem::path program = PIPETTE_INTEROP_NETHTTP;
  if (program.empty()) throw MissingProgram("go");
  return std::make_unique<ChildSite>(loopback, std::vector<std::string>{program});
}

std::unique_ptr<Site> start_pipette(Loopback& loopback) { return std::make_unique<PipetteSite>(loopback); }

}  // namespace pipette::interop
