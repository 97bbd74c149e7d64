// One peer: handshake, requests one after another, their answers, streams, and the times all of it
// may take. Registry knows all connections and closes the longest idle when there are too many.
// Private to this room; http_server.h is what others see.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/http/http_server.h"
#include "server/http/output_queue.h"
#include "server/http/request_parser.h"
#include "server/http/transport.h"

struct event;

namespace windlass::server {

class Connection;
class ConnectionStream;
class Registry;

// What the connections of one listener share. Outlives them.
struct Service {
  EventLoop* loop = nullptr;
  Registry* registry = nullptr;
  HttpLimits limits;
  HttpServer::Authenticate authenticate;
  Handler handler;
  ssl_ctx_st* tls = nullptr;  // null: plain
};

class Registry {
 public:
  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);
  // Idle: it has no request in hand. The longest idle stands first.
  void set_idle(Connection& connection, bool idle);
  // False if every connection is at work.
  bool close_longest_idle();
  void close_all();
  // The connection has begun to send what its stream has; what comes within the next milliseconds
  // is sent together after them. Hundreds of watchers cost a system call each then and when, not
  // for every event.
  void pace(EventLoop& loop, const std::shared_ptr<Connection>& connection);
  // Runs the work in the loop's next turn, unless the server has gone by then.
  void later(EventLoop& loop, std::function<void()> work);
  [[nodiscard]] size_t size() const { return all_.size(); }

 private:
  std::list<std::shared_ptr<Connection>> all_;
  std::list<Connection*> idle_;
  std::vector<std::weak_ptr<Connection>> paced_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<const Service> service, int socket, std::string remote);
  ~Connection();
  void start();

  // What Exchange and Stream do.
  void reply(Response response);
  std::shared_ptr<Stream> open_stream(int status, std::string content_type);
  bool send_piece(std::shared_ptr<const std::string> piece);
  void finish_stream();
  [[nodiscard]] size_t unsent() const { return out_.size(); }
  // Ends everything now. Safe at any time; the object lives on while someone holds it.
  void cut();

 private:
  friend class Registry;
  enum class Phase {
    kHandshake,
    kReading,    // waits for a request or reads one
    kWorking,    // a handler has it
    kReplying,   // the answer is complete and on its way
    kStreaming,  // the answer goes on
    kLingering,  // the last answer is sent; what the peer still sends is dropped
  };

  static void on_event(int socket, short what, void* self);
  static void on_timer(int socket, short what, void* self);
  void pump(bool reads);
  bool shake_hands();
  void read_some();
  void on_end_of_input();
  void read_requests();
  void take_request();
  void refuse(const HttpFault& fault);
  void queue_reply(Response response);
  void cut_laggard();
  void write_some();
  void after_written();
  void linger();
  void timed_out();
  void wait_for_events();
  void wake();  // pump soon
  void wake_stream();
  void set_timer(Duration delay);
  void clear_timer();

  std::shared_ptr<const Service> service_;
  Transport transport_;
  std::string remote_;
  std::optional<Identity> certificate_;
  RequestParser parser_;
  OutputQueue out_;
  event* readable_ = nullptr;
  event* writable_ = nullptr;
  event* timer_ = nullptr;
  Phase phase_ = Phase::kHandshake;
  bool closed_ = false;
  bool pumping_ = false;
  bool again_ = false;  // there is more to do that no event tells of
  bool input_ended_ = false;
  bool request_begun_ = false;  // its time is running
  bool wants_write_ = false;    // the transport does, for reading or writing
  bool head_only_ = false;      // the request was HEAD
  bool chunked_ = true;         // the stream's coding: HTTP/1.0 has none
  bool keep_alive_ = true;
  bool paced_ = false;    // the stream was sent to just now: more may gather
  bool lagging_ = false;  // the stream is behind; the timer runs
  std::shared_ptr<ConnectionStream> stream_;
  std::list<std::shared_ptr<Connection>>::iterator place_;
  std::optional<std::list<Connection*>::iterator> idle_place_;
};

}  // namespace windlass::server
