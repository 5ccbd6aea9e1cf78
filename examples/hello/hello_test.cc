#include "hello.h"

#include <gtest/gtest.h>

#include "pipette/lab/lab.h"

using namespace std::chrono_literals;

TEST(Hello, GreetsByName) {
  pipette::Server server(hello);
  pipette::Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/?name=Ada").body, "Hello, Ada!");
}

TEST(Hello, CutsAClientThatSendsHalfAHeaderAfterTenSeconds) {
  pipette::Server server(hello);
  pipette::Lab lab;
  lab.serve(server, "app:80");
  pipette::Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: ap");
  lab.advance(10s - 1ns);
  EXPECT_FALSE(peer.closed());
  lab.advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(peer.received().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}
