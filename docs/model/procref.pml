/*
 * The protocol of procref: clients that come and go, guardians that they launch, the one server, and a kernel that frees the
 * locks of whoever is killed. What is modelled and what is not, and how to run this, stands in README.md beside it.
 *
 * Each process is a loop of guarded steps: "I am AT a step, and what I need is there" -> the step. A step is a d_step, and
 * contains exactly one thing that another process can see: one system call (a lock tried, a file replaced by rename(2), a file
 * read, a probe, a signal). Whatever else is in it is the process's own memory, or is said beside it to be unseen. Between two
 * steps anything can happen: any step of any other process, and any death.
 *
 * A process waits by a guard that is not true, never by asking again and again: so a state in which nothing can go on is one
 * in which whoever still waits would wait for ever, and `Quiet` judges each of them.
 *
 * The names of the steps are those of the code and of its tests (tests/service/stops.ts): AT names what was done last.
 *
 * Parameters (-D): CLIENTS (1-3), GUARDIANS that can live at once (2-3), FAULTS in all, UNBOUND (the server survives its
 * guardian; else the kernel ends it), STAYS (client 0 never leaves by itself), and one BROKEN_… for each variant that must be caught.
 */

#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef GUARDIANS
#define GUARDIANS 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

/* Says what is done; shown only when a trail is replayed. */
#define SAY(text, who) printf(text, who)

/* The invariants. `spin -t` prints the one that was violated. */
#define NO_STOP_UNDER_A_LEASE "no server is stopped under a held lease\n"
#define NEVER_TWO_SERVERS "never two servers on one data directory\n"
#define NEVER_TWO_GUARDIANS "never two guardians\n"
#define NOTHING_IS_LEFT "nothing is left\n"
#define EVERY_CLIENT_GETS_AN_ANSWER "every client gets an answer\n"
#define A_LEASE_HAS_A_SERVER_AGAIN "a lease has a server again\n"
#define A_FAILURE_IS_TOLD_TO_THOSE_WHO_WAITED "a failure is told to those who waited for it, and to nobody else\n"
#define A_SERVER_CAN_BE_PROVEN_OURS "a server can be proven ours\n"
#define STOPPED_IS_TRUE "stopped means that nothing holds the data\n"
#define MUST(condition, name) \
  if \
  :: condition \
  :: else -> printf("VIOLATED: "); printf(name); assert(false) \
  fi

#define NOBODY 255

mtype = {
  /* Where a guardian is: what it did last. */
  idle, launched, elected, alive, before_server_lock, server_lock, spawned, recorded, ready,
  lingering, proven, in_use, told, ended, locked_again, failing, again, not_yet_recorded,
  /* The same, and what server.json says. */
  starting, serving, draining, stopping, stopped, failed,
  /* Where a client is; a guardian that has written the port is `launching` as well. */
  away, claimed, looking, absent, launching, waiting, leased, checking, looked_before_claim, gone,
  /* Where the server is; `spawned` and `told` as well. */
  none, up, workers
};

/* -- The kernel: who holds which lock. Death frees them. ------------------------------------------------------------------- */

/* slots/slot_NN.lock: which slot a client gets is the backend's affair, so each has its own. */
bool slot[CLIENTS];
/* guardian.lock: the guardian that holds it. */
byte guardianLock = NOBODY;
/* data/server.lock is one open file, of which the guardian and the server can have a copy each; it is free when both are closed. */
byte serverLockCopy = NOBODY;
#define SERVER_LOCK_FREE (serverLockCopy == NOBODY && server.at == none)

/* -- server.json: replaced as a whole by rename(2), so it is read as a whole. ----------------------------------------------- */

typedef Record {
  mtype state;
  byte epoch;
  byte nonce;
  byte previousNonce; /* previous.nonce: whose server may still be there; 0 once server.lock has proven that it is not */
}
Record record;

/* -- The processes ---------------------------------------------------------------------------------------------------------- */

typedef ClientState {
  mtype at;
  /* What it has read and not yet judged. */
  mtype seenState;
  byte seenEpoch;
  byte seenNonce;
  /* Of one wait (awaitServing): has it looked, and was the record it found first a `failed` one, of which epoch? */
  bool looked;
  byte firstFailed;
  /* The guardian from which it awaits a word. */
  byte from;
  /* The epoch of the guardian that said hello to it last, for an invariant. */
  byte hello;
  /* 0: it has never been told `serving`. */
  byte leaseEpoch;
}
ClientState client[CLIENTS];

typedef GuardianState {
  mtype at;
  /* Holds alive-<nonce>.lock. A nonce is random; here it is the guardian's first epoch, which is as good: no other one that anybody can
     have seen has it. */
  bool aliveLock;
  byte nonce;
  /* What has been serving is brought back; what never came up is not insisted on. */
  bool recovering;
  /* Got TERM. */
  bool term;
  /* The next slot to probe. */
  byte probe;
}
GuardianState guardian[GUARDIANS];

typedef ServerState {
  mtype at;
  /* PROCREF_INSTANCE in its environment. */
  byte nonce;
  byte epoch;
  /* Its guardian was killed, and nothing ended it with it. */
  bool orphan;
}
ServerState server;

byte faults = FAULTS;
/* The last epoch whose server was stopped because no slot was held. For an invariant. */
byte emptiedEpoch;

/* Loop variables; hidden: no part of the state. */
hidden byte k;
hidden byte chosen;

#define HOLDS_ALIVE(g, n) (guardian[g].aliveLock && guardian[g].nonce == (n))
#if GUARDIANS == 2
#define ALIVE(n) (HOLDS_ALIVE(0, n) || HOLDS_ALIVE(1, n))
#define CAN_LAUNCH (guardian[0].at == idle || guardian[1].at == idle)
#define ALL_IDLE (guardian[0].at == idle && guardian[1].at == idle)
#elif GUARDIANS == 3
#define ALIVE(n) (HOLDS_ALIVE(0, n) || HOLDS_ALIVE(1, n) || HOLDS_ALIVE(2, n))
#define CAN_LAUNCH (guardian[0].at == idle || guardian[1].at == idle || guardian[2].at == idle)
#define ALL_IDLE (guardian[0].at == idle && guardian[1].at == idle && guardian[2].at == idle)
#endif

#if CLIENTS == 1
#define ANY_SLOT_HELD slot[0]
#elif CLIENTS == 2
#define ANY_SLOT_HELD (slot[0] || slot[1])
#else
#define ANY_SLOT_HELD (slot[0] || slot[1] || slot[2])
#endif

/* The server's main process lives: its end is what a guardian is told as an event. Workers may hold server.lock a while longer. */
#define MAIN_LIVES (server.at == spawned || server.at == up || server.at == told)
/* `ended` of the RunningServer that a guardian has. It is the only server while server.lock is heeded. */
#define OWN_SERVER_ENDED (!MAIN_LIVES || server.epoch != record.epoch)

/* ========================================================================================================================== */
/* The client: client/shared-service.ts, await-serving.ts, look.ts, kept-lease.ts                                              */
/* ========================================================================================================================== */

#define IS_UP(state) ((state) == serving)

/* What ends a wait in awaitServing(). While none of it is so, the rounds change nothing. */
#ifdef BROKEN_WAITS_FOR_NEXT_STATE
/* WRONG: nobody writes a state after `stopping` when its guardian has been killed. */
#define AWAITS_NEXT(state) ((state) == stopping)
#else
#define AWAITS_NEXT(state) false
#endif
#define WORTH_A_LOOK(i) \
  (!AWAITS_NEXT(record.state) && (!ALIVE(record.nonce) || IS_UP(record.state) || (record.state == failed && record.epoch != client[i].firstFailed)))

/* What a check of a lease (every 5 s, or when the connection drops) would find changed. */
#ifdef BROKEN_LEASE_IGNORES_EPOCH
#define LEASE_CHANGED(i) (!(IS_UP(record.state) && ALIVE(record.nonce)))
#else
#define LEASE_CHANGED(i) (!(IS_UP(record.state) && ALIVE(record.nonce) && record.epoch == client[i].leaseEpoch))
#endif

#ifdef STAYS
#define LEAVES(i) (i != 0)
#else
#define LEAVES(i) true
#endif

inline forgetView(i) {
  client[i].seenState = 0;
  client[i].seenEpoch = 0;
  client[i].seenNonce = 0
}

inline beginWait(i) {
  client[i].looked = false;
  client[i].firstFailed = 0;
  client[i].hello = 0
}

/* It ends, by itself or by a kill: the kernel frees its slot. */
inline leave(i) {
  slot[i] = false;
  client[i].at = gone;
  forgetView(i);
  beginWait(i);
  client[i].from = NOBODY;
  client[i].leaseEpoch = 0
}

inline read(i) {
  client[i].seenState = record.state;
  client[i].seenEpoch = record.epoch;
  client[i].seenNonce = record.nonce
}

/* Told `serving`. */
inline lease(i) {
  MUST(client[i].seenEpoch > emptiedEpoch, NO_STOP_UNDER_A_LEASE);
  client[i].leaseEpoch = client[i].seenEpoch;
  client[i].at = leased;
  forgetView(i);
  beginWait(i)
}

proctype Client(byte i) {
end:
  do
#ifdef BROKEN_READS_BEFORE_CLAIM
  /* WRONG: what is read before the slot is claimed is old when the guardian's probe has missed the slot. */
  :: d_step { client[i].at == away -> SAY("client %d reads server.json, no slot claimed\n", i); read(i); client[i].at = looked_before_claim }
  :: d_step {
      client[i].at == looked_before_claim ->
      SAY("client %d probes the alive lock, then claims\n", i);
      slot[i] = true;
      if
      :: IS_UP(client[i].seenState) && ALIVE(client[i].seenNonce) -> lease(i)
      :: else -> forgetView(i); client[i].at = claimed
      fi
    }
#else
  :: d_step { client[i].at == away -> SAY("client %d claims a slot\n", i); slot[i] = true; client[i].at = claimed }
#endif

  /* look(): server.json first, then the alive lock that it names. */
  :: d_step { client[i].at == claimed -> SAY("client %d reads server.json\n", i); read(i); client[i].at = looking }
  :: d_step {
      client[i].at == looking ->
      SAY("client %d probes the alive lock\n", i);
      if
      :: IS_UP(client[i].seenState) && ALIVE(client[i].seenNonce) -> lease(i)
#ifdef BROKEN_WAIT_IGNORES_EPOCH
      /* WRONG: a `failed` of before this wait began is history. */
      :: client[i].seenState == failed ->
        MUST(client[i].looked && client[i].seenEpoch != client[i].firstFailed, A_FAILURE_IS_TOLD_TO_THOSE_WHO_WAITED);
        leave(i)
#endif
      :: else ->
        if
        :: client[i].looked && client[i].seenState == failed && client[i].seenEpoch != client[i].firstFailed ->
          SAY("client %d gives up: the start it waited for failed\n", i);
          leave(i)
        :: else ->
          if
          :: !client[i].looked && client[i].seenState == failed -> client[i].firstFailed = client[i].seenEpoch
          :: else
          fi;
          client[i].looked = true;
          MUST(!(client[i].seenState == failed && client[i].hello == client[i].seenEpoch), A_FAILURE_IS_TOLD_TO_THOSE_WHO_WAITED);
          if
          :: ALIVE(client[i].seenNonce) || AWAITS_NEXT(client[i].seenState) -> client[i].at = waiting
          :: else -> client[i].at = absent
          fi;
          forgetView(i)
        fi
      fi
    }

  /* Launches. start.lock is left out: it thins the herd and decides nothing, so whoever finds nobody may launch at any time. */
  :: d_step {
      client[i].at == absent && CAN_LAUNCH ->
      SAY("client %d launches a guardian\n", i);
      chosen = 0;
      do
      :: guardian[chosen].at != idle -> chosen++
      :: else -> break
      od;
      guardian[chosen].at = launched;
      client[i].from = chosen;
      client[i].at = launching
    }
  /* At `launching` its guardian's word, or its death, moves it on. */

  /* A round of the wait is over, and there is something to see. */
  :: d_step { client[i].at == waiting && WORTH_A_LOOK(i) -> client[i].at = claimed }

  /* It has a lease: it leaves, or finds at a check that things have changed. */
  :: d_step { client[i].at == leased && LEAVES(i) -> SAY("client %d closes its lease\n", i); leave(i) }
  :: d_step { client[i].at == leased && LEASE_CHANGED(i) -> SAY("client %d checks: reads server.json\n", i); read(i); client[i].at = checking }
  :: d_step {
      client[i].at == checking ->
      SAY("client %d checks: probes the alive lock\n", i);
      if
      :: client[i].seenState == failed && client[i].seenEpoch >= client[i].leaseEpoch -> SAY("client %d has lost its lease\n", i); leave(i)
      :: else ->
        if
        :: IS_UP(client[i].seenState) && ALIVE(client[i].seenNonce) -> lease(i)
        :: else -> forgetView(i); client[i].at = claimed
        fi
      fi
    }
  od
}

/* ========================================================================================================================== */
/* The guardian: guardian/guardian.ts, election.ts, server-lock.ts, serve.ts, stop-server.ts, chronicle.ts                     */
/* ========================================================================================================================== */

/* The client that launched it hears a word through the status pipe: at once, because a word in a pipe survives its writer, and the
   client takes its time before its next step. */
inline say(g, next) {
  for (k : 0 .. CLIENTS - 1) {
    if
    :: client[k].at == launching && client[k].from == g -> client[k].from = NOBODY; client[k].at = next
    :: else
    fi
  }
}

/* It ends, by itself or by a kill: the kernel frees its locks and closes the status pipe. */
inline end_guardian(g) {
  say(g, waiting);
  if
  :: guardianLock == g -> guardianLock = NOBODY
  :: else
  fi;
  if
  :: serverLockCopy == g -> serverLockCopy = NOBODY
  :: else
  fi;
  guardian[g].at = idle;
  guardian[g].aliveLock = false;
  guardian[g].nonce = 0;
  guardian[g].recovering = false;
  guardian[g].term = false;
  guardian[g].probe = 0
}

inline end_server() {
  server.at = none;
  server.nonce = 0;
  server.epoch = 0;
  server.orphan = false
}

/* The start has failed for good, or comes again. */
inline startFailed(g) {
  if
  :: guardian[g].recovering -> guardian[g].at = again
  :: else -> guardian[g].at = failing
  fi
}

/* Writes `starting`. It reads the record before that as a step of its own in the code; here in the same one, because nobody but the
   holder of guardian.lock writes it. */
inline writeStarting(g) {
#ifdef BROKEN_FORGETS_PREVIOUS
  /* WRONG: a guardian that was killed while it waited for server.lock launched nothing; whose server it waited for is forgotten. */
  record.previousNonce = record.nonce;
#else
  if
  :: record.previousNonce == 0 -> record.previousNonce = record.nonce
  :: else
  fi;
#endif
  record.nonce = guardian[g].nonce;
  record.epoch++;
  record.state = starting
}

#ifdef BROKEN_TRIES_WITHOUT_HINT
/* WRONG: it tries to stop again and again while a slot is held. */
#define HINT true
#else
#define HINT !ANY_SLOT_HELD
#endif

#define TAKES_OVER (record.state != 0 && record.state != stopped && record.state != failed)

#ifdef BROKEN_LAUNCHES_BEFORE_RECORD
#define AFTER_LAUNCH not_yet_recorded
#define AFTER_HELLO recorded
#else
#define AFTER_LAUNCH recorded
#define AFTER_HELLO before_server_lock
#endif

#ifdef BROKEN_LAUNCHES_BEFORE_RECORD
#define FORGET_PREVIOUS skip
#else
#define FORGET_PREVIOUS record.previousNonce = 0
#endif

proctype Guardian(byte g) {
end:
  do
  /* -- electGuardian() -------------------------------------------------------------------------------------------------- */
#ifdef BROKEN_NO_ELECTION
  :: d_step { guardian[g].at == launched -> SAY("guardian %d elects itself\n", g); guardianLock = g; guardian[g].at = elected }
#else
  :: d_step { guardian[g].at == launched && guardianLock == NOBODY -> SAY("guardian %d takes guardian.lock\n", g); guardianLock = g; guardian[g].at = elected }
  /* The loser holds nothing, so its word and its end are one step. It may as well go on asking: that is the step not taken. */
  :: d_step { guardian[g].at == launched && guardianLock != NOBODY -> SAY("guardian %d leaves as the loser\n", g); say(g, waiting); end_guardian(g) }
#endif
  :: d_step {
      guardian[g].at == elected ->
      SAY("guardian %d takes its alive lock\n", g);
      for (k : 0 .. GUARDIANS - 1) {
        MUST(k == g || !guardian[k].aliveLock, NEVER_TWO_GUARDIANS)
      }
      guardian[g].aliveLock = true;
      guardian[g].nonce = record.epoch + 1;
      guardian[g].recovering = TAKES_OVER;
      guardian[g].at = alive
    }

  /* -- startServer() ---------------------------------------------------------------------------------------------------- */
#ifdef BROKEN_LAUNCHES_BEFORE_RECORD
  :: d_step { guardian[g].at == alive || guardian[g].at == again -> guardian[g].at = before_server_lock }
  :: d_step { guardian[g].at == not_yet_recorded -> SAY("guardian %d writes starting, after the launch\n", g); writeStarting(g); server.epoch = record.epoch; guardian[g].at = starting }
#else
  :: d_step { guardian[g].at == alive || guardian[g].at == again -> SAY("guardian %d writes starting\n", g); writeStarting(g); guardian[g].at = starting }
#endif
  :: d_step {
      guardian[g].at == starting ->
      SAY("guardian %d says hello\n", g);
      for (k : 0 .. CLIENTS - 1) {
        if
        :: client[k].at == launching && client[k].from == g ->
          client[k].hello = record.epoch;
#ifdef BROKEN_FORGETS_FIRST_LOOK
          /* WRONG: what is found after the own launch is not what was there before the wait. */
          client[k].looked = false;
          client[k].firstFailed = 0
#endif
        :: else
        fi
      }
      say(g, claimed);
      guardian[g].at = AFTER_HELLO
    }
  /* obtainServerLock() */
#ifdef BROKEN_NO_SERVER_LOCK
  :: d_step { guardian[g].at == before_server_lock -> SAY("guardian %d does not wait for server.lock\n", g); guardian[g].at = server_lock }
#else
  :: d_step {
      guardian[g].at == before_server_lock && SERVER_LOCK_FREE ->
      SAY("guardian %d takes server.lock\n", g);
      serverLockCopy = g;
          guardian[g].at = server_lock
    }
  /* Held for 10 s, which may be shorter than anything. The holder is a server, for a guardian would hold guardian.lock. */
  :: d_step {
      guardian[g].at == before_server_lock && !SERVER_LOCK_FREE ->
      SAY("guardian %d judges who holds server.lock\n", g);
      MUST(server.nonce == record.previousNonce, A_SERVER_CAN_BE_PROVEN_OURS);
      end_server()
    }
#endif
  :: d_step { guardian[g].at == server_lock -> SAY("guardian %d writes the port, and no previous any more\n", g); FORGET_PREVIOUS; guardian[g].at = launching }
  /* TERM before the launch: it leaves, and what it has written stays. */
  :: d_step { guardian[g].at == launching && guardian[g].term -> SAY("guardian %d leaves: it was told\n", g); end_guardian(g) }
  :: d_step {
      guardian[g].at == launching && !guardian[g].term ->
      SAY("guardian %d launches the server\n", g);
      MUST(server.at == none, NEVER_TWO_SERVERS);
      server.at = spawned;
      server.nonce = guardian[g].nonce;
      server.epoch = record.epoch;
      guardian[g].at = spawned
    }
  /* Closes its own copy of server.lock and records who the server is: the latter is read by nobody in this model, so it is one step. */
  :: d_step {
      guardian[g].at == spawned ->
      SAY("guardian %d closes its copy of server.lock\n", g);
      serverLockCopy = NOBODY;
      guardian[g].at = AFTER_LAUNCH
    }
  :: d_step { guardian[g].at == recorded && guardian[g].term && MAIN_LIVES -> SAY("guardian %d ends the server: it was told\n", g); server.at = told; guardian[g].at = told }
  :: d_step { guardian[g].at == recorded && guardian[g].term && !MAIN_LIVES -> end_guardian(g) }
  :: d_step { guardian[g].at == recorded && !guardian[g].term && OWN_SERVER_ENDED -> SAY("guardian %d: the server ended before it was ready\n", g); startFailed(g) }
  :: d_step { guardian[g].at == recorded && !guardian[g].term && server.at == up && !OWN_SERVER_ENDED -> guardian[g].at = ready }
  :: d_step { guardian[g].at == ready -> SAY("guardian %d writes serving\n", g); record.state = serving; guardian[g].at = serving }

  /* -- serve() ---------------------------------------------------------------------------------------------------------- */
  :: d_step { guardian[g].at == serving && OWN_SERVER_ENDED -> SAY("guardian %d: the server ended\n", g); guardian[g].recovering = true; guardian[g].at = again }
  :: d_step {
      guardian[g].at == serving && !OWN_SERVER_ENDED && guardian[g].term ->
      SAY("guardian %d writes stopping: it was told\n", g);
      record.state = stopping;
      guardian[g].at = stopping
    }
  /* All were free at one moment, as far as the hint says: the linger begins. It proves nothing. */
  :: d_step { guardian[g].at == serving && !OWN_SERVER_ENDED && !guardian[g].term && HINT -> guardian[g].at = lingering }
  :: d_step { guardian[g].at == lingering && (OWN_SERVER_ENDED || guardian[g].term) -> guardian[g].at = serving }
  /* tryToStop() */
#ifdef BROKEN_PROBES_BEFORE_DRAINING
  :: d_step { guardian[g].at == lingering && !OWN_SERVER_ENDED && !guardian[g].term -> guardian[g].at = draining }
#else
  :: d_step {
      guardian[g].at == lingering && !OWN_SERVER_ENDED && !guardian[g].term ->
      SAY("guardian %d writes draining\n", g);
      record.state = draining;
      guardian[g].at = draining
    }
#endif
  /* provenEmpty(), one slot after the other. The order of slots is the folder's; the clients are alike, so this one stands for all. */
  :: d_step { guardian[g].at == draining && slot[guardian[g].probe] -> SAY("guardian %d finds a slot held\n", g); guardian[g].probe = 0; guardian[g].at = in_use }
  :: d_step { guardian[g].at == draining && !slot[guardian[g].probe] && guardian[g].probe < CLIENTS - 1 -> SAY("guardian %d finds a slot free\n", g); guardian[g].probe++ }
  :: d_step { guardian[g].at == draining && !slot[guardian[g].probe] && guardian[g].probe == CLIENTS - 1 -> SAY("guardian %d finds the last slot free\n", g); guardian[g].probe = 0; guardian[g].at = proven }
  /* EMFILE, EACCES, …: nothing is proven. */
#ifdef BROKEN_ERROR_IS_FREE
  :: d_step { guardian[g].at == draining && faults > 0 && guardian[g].probe < CLIENTS - 1 -> SAY("guardian %d cannot probe a slot, and takes it for free\n", g); faults--; guardian[g].probe++ }
  :: d_step { guardian[g].at == draining && faults > 0 && guardian[g].probe == CLIENTS - 1 -> SAY("guardian %d cannot probe a slot, and takes it for free\n", g); faults--; guardian[g].probe = 0; guardian[g].at = proven }
#else
  :: d_step { guardian[g].at == draining && faults > 0 -> SAY("guardian %d cannot probe a slot\n", g); faults--; guardian[g].probe = 0; guardian[g].at = in_use }
#endif
  :: d_step { guardian[g].at == in_use -> SAY("guardian %d writes serving again\n", g); record.state = serving; guardian[g].at = serving }
#ifdef BROKEN_PROBES_BEFORE_DRAINING
  :: d_step { guardian[g].at == proven && record.state == serving -> SAY("guardian %d writes draining, after the probes\n", g); record.state = draining }
  :: d_step { guardian[g].at == proven && record.state == draining ->
#else
  :: d_step { guardian[g].at == proven ->
#endif
      SAY("guardian %d writes stopping\n", g);
      emptiedEpoch = record.epoch;
      record.state = stopping;
      guardian[g].at = stopping
    }

  /* -- stop() ----------------------------------------------------------------------------------------------------------- */
  :: d_step {
      guardian[g].at == stopping ->
      SAY("guardian %d tells the server to end\n", g);
      if
      :: emptiedEpoch == record.epoch ->
        for (k : 0 .. CLIENTS - 1) {
          MUST(!(slot[k] && client[k].leaseEpoch != 0), NO_STOP_UNDER_A_LEASE)
        }
      :: else
      fi;
      if
      :: !OWN_SERVER_ENDED -> server.at = told
      :: else
      fi;
      guardian[g].at = told
    }
  :: d_step { guardian[g].at == told && OWN_SERVER_ENDED && record.state == stopping -> SAY("guardian %d: the server has ended\n", g); guardian[g].at = ended }
  /* Told while it started: what holds the data is not known, so nothing is claimed. */
  :: d_step { guardian[g].at == told && OWN_SERVER_ENDED && record.state == starting -> SAY("guardian %d leaves: it was told\n", g); end_guardian(g) }
#ifdef BROKEN_STOPPED_ON_EXIT
  :: d_step { guardian[g].at == ended -> guardian[g].at = locked_again }
#else
  :: d_step { guardian[g].at == ended && SERVER_LOCK_FREE -> SAY("guardian %d takes server.lock again\n", g); serverLockCopy = g; guardian[g].at = locked_again }
  :: d_step {
      guardian[g].at == ended && !SERVER_LOCK_FREE ->
      SAY("guardian %d judges who holds server.lock\n", g);
      MUST(server.nonce == record.nonce, A_SERVER_CAN_BE_PROVEN_OURS);
      end_server()
    }
#endif
  :: d_step {
      guardian[g].at == locked_again ->
      SAY("guardian %d writes stopped\n", g);
      MUST(server.at == none, STOPPED_IS_TRUE);
      record.state = stopped;
      guardian[g].at = stopped
    }
  /* fail(): server.lock is released before; only a guardian could take it, and this one holds guardian.lock. */
  :: d_step { guardian[g].at == failing -> SAY("guardian %d writes failed\n", g); record.state = failed; guardian[g].at = failed }
  :: d_step { guardian[g].at == stopped || guardian[g].at == failed -> SAY("guardian %d ends\n", g); end_guardian(g) }
  od
}

/* ========================================================================================================================== */
/* The server: its main process, and workers that hold the inherited server.lock a while longer                                */
/* ========================================================================================================================== */

proctype Server() {
end:
  do
  :: d_step { server.at == spawned -> SAY("the server of epoch %d is up\n", server.epoch); server.at = up }
  /* In order, or hurried, or ended: stopServer() sees to it that it ends. */
  :: d_step { server.at == told -> SAY("the server of epoch %d ends\n", server.epoch); end_server() }
  :: d_step { server.at == told -> SAY("the server of epoch %d ends, its workers do not yet\n", server.epoch); server.at = workers }
  :: d_step { server.at == workers -> SAY("the workers of epoch %d end\n", server.epoch); end_server() }
  od
}

/* ========================================================================================================================== */
/* Faults: SIGKILL to anybody at any step; TERM to a guardian; a failing probe (above)                                         */
/* ========================================================================================================================== */

#define OWNED_BY(g) (MAIN_LIVES && server.nonce == guardian[g].nonce)

#define KILL_CLIENT(i) \
  :: d_step { faults > 0 && client[i].at != away && client[i].at != gone -> SAY("client %d is KILLED\n", i); faults--; leave(i) }

#ifdef UNBOUND
#define KILL_GUARDIAN(g) \
  :: d_step { \
      faults > 0 && guardian[g].at != idle -> \
      SAY("guardian %d is KILLED\n", g); \
      faults--; \
      if \
      :: OWNED_BY(g) -> server.orphan = true \
      :: else \
      fi; \
      end_guardian(g) \
    }
#else
#define KILL_GUARDIAN(g) \
  :: d_step { \
      faults > 0 && guardian[g].at != idle -> \
      SAY("guardian %d is KILLED, and its server with it\n", g); \
      faults--; \
      if \
      :: OWNED_BY(g) -> end_server() \
      :: else \
      fi; \
      end_guardian(g) \
    } \
  :: d_step { \
      faults > 0 && guardian[g].at != idle && OWNED_BY(g) -> \
      SAY("guardian %d is KILLED, and its server with it, but for the workers\n", g); \
      faults--; \
      server.at = workers; \
      end_guardian(g) \
    }
#endif

#define TERM_GUARDIAN(g) \
  :: d_step { faults > 0 && guardian[g].at != idle && !guardian[g].term -> SAY("guardian %d gets TERM\n", g); faults--; guardian[g].term = true }

proctype Faults() {
end:
  do
  KILL_CLIENT(0)
#if CLIENTS > 1
  KILL_CLIENT(1)
#endif
#if CLIENTS > 2
  KILL_CLIENT(2)
#endif
  KILL_GUARDIAN(0)
  KILL_GUARDIAN(1)
  TERM_GUARDIAN(0)
  TERM_GUARDIAN(1)
#if GUARDIANS > 2
  KILL_GUARDIAN(2)
  TERM_GUARDIAN(2)
#endif
  :: d_step { faults > 0 && MAIN_LIVES -> SAY("the server of epoch %d is KILLED\n", server.epoch); faults--; end_server() }
  :: d_step { faults > 0 && MAIN_LIVES -> SAY("the server of epoch %d is KILLED, but for its workers\n", server.epoch); faults--; server.at = workers }
  /* No more of them: else a state would never be quiet while some are left. */
  :: d_step { faults > 0 -> faults = 0 }
  od
}

/* ========================================================================================================================== */
/* Nothing can go on: whoever waits now waits for ever, whatever is left now is left for ever                                  */
/* ========================================================================================================================== */

proctype Quiet() {
  timeout ->
  d_step {
    for (k : 0 .. CLIENTS - 1) {
#ifdef STAYS
      if
      :: k == 0 && client[k].at == leased ->
        MUST(client[k].leaseEpoch == server.epoch && server.at == up && IS_UP(record.state) && ALIVE(record.nonce), A_LEASE_HAS_A_SERVER_AGAIN)
      :: else -> MUST(client[k].at == gone, EVERY_CLIENT_GETS_AN_ANSWER)
      fi
#else
      MUST(client[k].at == gone, EVERY_CLIENT_GETS_AN_ANSWER)
#endif
    }
    MUST(ANY_SLOT_HELD || ALL_IDLE, NOTHING_IS_LEFT);
    /* An orphan may be left where nothing ties it to its guardian (UNBOUND): the next client's guardian ends it. */
    MUST(ANY_SLOT_HELD || server.at == none || server.orphan, NOTHING_IS_LEFT)
  }
}

init {
  atomic {
    for (k : 0 .. CLIENTS - 1) {
      client[k].at = away;
      client[k].from = NOBODY
    }
    for (k : 0 .. GUARDIANS - 1) {
      guardian[k].at = idle
    }
    server.at = none;
    run Server();
    run Faults();
    run Quiet();
    for (k : 0 .. CLIENTS - 1) {
      run Client(k)
    }
    for (k : 0 .. GUARDIANS - 1) {
      run Guardian(k)
    }
  }
}
