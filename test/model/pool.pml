/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of a shared pool: nodes claim blocks of one pool in an engine, and assign addresses
 * of them to pods. README.md describes the model and its switches.
 *
 * Here a block has one address. A store is the data of one network of one node on its machine.
 */

#ifndef NB
#define NB 2 /* blocks */
#endif
#ifndef DOWNS
#define DOWNS 0 /* how many stops of machines, in total */
#endif
#ifndef WIPES
#define WIPES 0 /* how often a store is lost while pods run */
#endif
#ifndef RESTORES
#define RESTORES 0 /* how often the engine is restored from a backup */
#endif
#ifndef RELEASES
#define RELEASES 0 /* how often an administrator runs release-node */
#endif
#ifndef LATES
#define LATES 0 /* how many requests arrive late, or twice */
#endif

/* By store: its machine, the node's name, and the name of node and network. */
#define NM 2
#if defined(TWO_NETS)
#define NS 3
#define MACHINE(s) ((s) / 2)
#define NAME(s) ((s) / 2)
#define KEY(s) (s)
#define NAME_OF(key) (((key) - 1) / 2)
#elif defined(NAMESAKE)
#define NS 2
#define MACHINE(s) (s)
#define NAME(s) 0
#define KEY(s) 0
#define NAME_OF(key) 0
#else
#define NS 2
#define MACHINE(s) (s)
#define NAME(s) (s)
#define KEY(s) (s)
#define NAME_OF(key) ((key) - 1)
#endif

/* The hardware number of a machine; 0: none, or one that several machines share. */
#if defined(SAME_HARDWARE)
#define HARDWARE(m) 1
#elif defined(NO_HARDWARE)
#define HARDWARE(m) 0
#else
#define HARDWARE(m) ((m) + 1)
#endif

#define SAME_MACHINE(m, n) (HARDWARE(m) == HARDWARE(n) && HARDWARE(m) != 0)

/* Each machine has four boots, and each store four incarnations. The last boot is for recovery. */
#define LAST_BOOT(m) ((m) * 4 + 3)
#define MACHINE_OF(boot) ((boot) / 4)

/* The claims in the engine. Key 0: the block is free. */
byte e_key[NB], e_inc[NB], e_boot[NB], e_id[NB];
bit e_back[NB]; /* the restore has brought the claim back: its version is lower than the newest that the node knows */

/* The backup, and the ids assigned since it: an engine whose ids are revisions assigns them again. */
byte k_key[NB], k_inc[NB], k_boot[NB], k_id[NB];
byte since[NB], again[NB];
bit backup;

/* A store's note about a block. */
#define NONE 0
#define CLAIMING 1
#define OWNED 2	    /* and confirmed in this boot */
#define EARLIER 3   /* owned, confirmed in an earlier boot */
#define RETURNING 4
#define MISSED 5    /* the engine lacks it; the present call claims it again */
#define SB (NS * NB)
#define AT(s, b) ((s) * NB + (b))
byte note[SB], nid[SB];
bit lease[SB];
byte inc[NS];
byte known[NS]; /* the boots in which the store was used: a set of bits */
byte heir[NS];	/* those of lost stores that it took over */
bit stopped[NS]; /* refused: the store assigns no address until a look finds its claims */
bit looked[NS]; /* the store has looked since the last tick */
bit fresh[NS];	/* the present look began after the last tick */
bit busy[NS];

/* The answer when the store's program listed the claims under its name. */
byte q_key[SB], q_inc[SB], q_boot[SB], q_id[SB];
bit q_back[SB];

byte boot[NM];
bit up[NM];

/* Running pods with the block's address. TAINTED: an event took the block from the node while the pod
 * ran, or before the node assigned the address, when it could not know yet. */
#define CLEAN 1
#define TAINTED 2
byte pod[SB];

/* An event took the block from the node, which need not know yet: it has not looked since, and the minute has not
 * passed. UNDER_WAY: a look has seen the event, but has not ended. */
#define OPEN 1
#define UNDER_WAY 2
byte window[SB];

/* One request that has not arrived, although its sender has ended or has asked again. */
#define NO_REQUEST 0
#define CREATE 1
#define REMOVE 2
#define UPDATE 3
byte z_op, z_s, z_b, z_inc, z_boot, z_id, z_xinc, z_xboot;

/* release-node for a node that is down: the listed claims. */
bit releasing;
byte r_name, r_key[NB], r_inc[NB], r_boot[NB], r_id[NB];

byte downs = DOWNS, wipes = WIPES, restores = RESTORES, releases = RELEASES, lates = LATES;
bit over; /* the run has ended */

hidden byte i, j, n, m, c_s, c_b, c_taken, c_who, who;
hidden byte refused, found, bad;

#define EXISTS(b) (e_key[b] != 0)
#if defined(NAMESAKE)
#define OWNER(b) (e_key[b] == 0 -> NS : MACHINE_OF(e_boot[b]))
#else
#define OWNER(b) (e_key[b] == 0 -> NS : e_key[b] - 1)
#endif
#define UNDER_NAME(s, b) (e_key[b] == KEY(s) + 1)
#if NB == 1
#define SOME_UNDER_NAME(s) UNDER_NAME(s, 0)
#elif NB == 2
#define SOME_UNDER_NAME(s) (UNDER_NAME(s, 0) || UNDER_NAME(s, 1))
#else
#define SOME_UNDER_NAME(s) (UNDER_NAME(s, 0) || UNDER_NAME(s, 1) || UNDER_NAME(s, 2))
#endif
#define MINE(s, b) (UNDER_NAME(s, b) && e_inc[b] == inc[s] && e_boot[b] == boot[MACHINE(s)])

#define CAN_GIVE(s, b) (note[AT(s, b)] == OWNED && !lease[AT(s, b)])
#if NB == 1
#define ANY(a, b, c) (a)
#define ALL(a, b, c) (a)
#elif NB == 2
#define ANY(a, b, c) ((a) || (b))
#define ALL(a, b, c) ((a) && (b))
#else
#define ANY(a, b, c) ((a) || (b) || (c))
#define ALL(a, b, c) ((a) && (b) && (c))
#endif
#define MUST_LOOK(s) (!looked[s] || stopped[s])
#define HAS_ROOM(s) ANY(CAN_GIVE(s, 0), CAN_GIVE(s, 1), CAN_GIVE(s, 2))
#define NO_LEASE(s) ALL(!lease[AT(s, 0)], !lease[AT(s, 1)], !lease[AT(s, 2)])
#define NO_POD(s) ALL(!pod[AT(s, 0)], !pod[AT(s, 1)], !pod[AT(s, 2)])
#define SOME(s, x) ANY(note[AT(s, 0)] == (x), note[AT(s, 1)] == (x), note[AT(s, 2)] == (x))

inline clear_claim(b)
{
	e_key[b] = 0;
	e_back[b] = 0;
	e_inc[b] = 0;
	e_boot[b] = 0;
	e_id[b] = 0
}

inline forget(s, b)
{
	note[AT(s, b)] = NONE;
	nid[AT(s, b)] = 0
}

inline clear_list(s)
{
	for (i : 0 .. NB - 1) {
		q_key[AT(s, i)] = 0;
		q_back[AT(s, i)] = 0;
		q_inc[AT(s, i)] = 0;
		q_boot[AT(s, i)] = 0;
		q_id[AT(s, i)] = 0;
	}
	i = 0
}

/* rid becomes the id of a new claim: one that nothing knows of the block; or, after a restore, one that was
 * assigned since the backup. */
#define KNOWN(b, x) \
	(e_id[b] == (x) || k_id[b] == (x) || r_id[b] == (x) || (z_b == (b) && z_id == (x)) || \
	 nid[AT(0, b)] == (x) || nid[AT(1, b)] == (x) || nid[AT(NS - 1, b)] == (x) || \
	 q_id[AT(0, b)] == (x) || q_id[AT(1, b)] == (x) || q_id[AT(NS - 1, b)] == (x))
#define GIVEN_AGAIN(b, x) (again[b] & (1 << (x)))

inline new_id(b)
{
	rid = 1;
	do
	:: rid < 7 && KNOWN(b, rid) -> rid++
	:: else -> break
	od;
	assert(!KNOWN(b, rid));
	n = 1;
	do /* the first id that can come again does, since d_step allows no choice */
	:: n < 7 && !GIVEN_AGAIN(b, n) -> n++
	:: else -> break
	od;
	if
	:: GIVEN_AGAIN(b, n) ->
		rid = n;
		again[b] = again[b] & (255 - (1 << n))
	:: else
	fi;
	if
	:: backup -> since[b] = since[b] | (1 << rid)
	:: else
	fi
}

/* An event: store who owned the block before; now another store owns it, or it is free. */
inline event(b)
{
	if
	:: who < NS && OWNER(b) != who ->
		window[AT(who, b)] = OPEN;
		if
		:: pod[AT(who, b)] == CLEAN -> pod[AT(who, b)] = TAINTED
		:: else
		fi
	:: else
	fi
}

/* ---- what the engine does; res: did it?, rid: the claim's id ---- */

inline do_create(s, b, x_inc, x_boot)
{
	res = false;
#ifdef MUTANT_CREATE
	found = true;
#else
	found = !EXISTS(b);
#endif
	if
	:: found ->
		printf("engine: create block %d for key %d\n", b, KEY(s));
		new_id(b);
		e_key[b] = KEY(s) + 1;
		e_inc[b] = x_inc;
		e_boot[b] = x_boot;
		e_back[b] = 0;
		e_id[b] = rid;
		if /* the store owns the block again */
		:: pod[AT(s, b)] == TAINTED -> pod[AT(s, b)] = CLEAN
		:: else
		fi;
		res = true
#if defined(OLD) || defined(SPEC_CREATE)
	:: !found && UNDER_NAME(s, b) && e_inc[b] == x_inc ->
#else
	:: !found && UNDER_NAME(s, b) && e_inc[b] == x_inc && e_boot[b] == x_boot ->
#endif
		rid = e_id[b];
		res = true
	:: else
	fi
}

inline do_remove(b, x_id, x_inc, x_boot)
{
	res = false;
#if defined(MUTANT_REMOVE)
	found = EXISTS(b);
#elif defined(OLD) || defined(SPEC_REMOVE)
	found = EXISTS(b) && e_id[b] == x_id;
#else
	found = EXISTS(b) && e_id[b] == x_id && e_inc[b] == x_inc && e_boot[b] == x_boot;
#endif
	if
	:: found ->
		printf("engine: remove the claim of block %d, asked for by id %d\n", b, x_id);
		clear_claim(b);
		res = true
	:: else
	fi
}

/* A claim gets another store. This is an event if the engine's record cannot distinguish the two
 * machines. */
inline do_update(s, b, x_id, x_xinc, x_xboot, x_inc, x_boot)
{
	res = false;
	if
	:: UNDER_NAME(s, b) && e_id[b] == x_id && e_inc[b] == x_xinc && e_boot[b] == x_xboot ->
		printf("engine: store %d takes over block %d\n", s, b);
		who = OWNER(b);
		e_inc[b] = x_inc;
		e_boot[b] = x_boot;
		e_back[b] = 0;
		rid = x_id;
		res = true;
		if
		:: SAME_MACHINE(0, 1) -> event(b)
		:: else
		fi
	:: UNDER_NAME(s, b) && e_inc[b] == x_inc && e_boot[b] == x_boot ->
		rid = e_id[b];
		res = true
	:: else
	fi
}

#define DO_LOOK 1
#define DO_CLAIM 2
#define DO_RETURN 3
#define DO_RELEASE 4

/* ---- what a program does without the engine ---- */

inline do_look(s)
{
	printf("store %d looks\n", s);
	for (i : 0 .. NB - 1) {
		if
		:: window[AT(s, i)] == OPEN -> window[AT(s, i)] = UNDER_WAY
		:: else
		fi
	}
	fresh[s] = 1;
	i = 0
}

/* The look, and all that follows from it, has ended. */
inline seen(s)
{
	for (i : 0 .. NB - 1) {
		if
		:: window[AT(s, i)] == UNDER_WAY -> window[AT(s, i)] = 0
		:: else
		fi
	}
	i = 0;
	if
	:: fresh[s] -> looked[s] = 1
	:: else
	fi
}

/* The program ends, for any reason. */
inline quit(s)
{
	for (i : 0 .. NB - 1) {
		if
		:: note[AT(s, i)] == MISSED -> note[AT(s, i)] = CLAIMING
		:: else
		fi;
		if
		:: window[AT(s, i)] == UNDER_WAY -> window[AT(s, i)] = OPEN
		:: else
		fi
	}
	clear_list(s);
	fresh[s] = 0;
	busy[s] = 0;
	op = 0; /* cleared, so that states with the same future are equal */
	b = 0;
	taken = 0;
	act = 0;
	rid = 0;
	res = 0;
	more = 0
}

/* The engine has answered the look and the list, and refuses what follows, or does not answer: the ADD
 * continues, and the node knows which blocks it has lost. */
inline give_up(s)
{
	if
	:: op == DO_LOOK && !stopped[s] -> seen(s)
	:: else
	fi;
	quit(s)
}

/* The engine does not answer: the ADD continues. The node cannot know which blocks it has lost. */
inline look_failed(s)
{
	printf("store %d: no answer to a look\n", s);
	looked[s] = 1;
	for (i : 0 .. NB - 1) {
		if
		:: note[AT(s, i)] == OWNED && OWNER(i) != s -> window[AT(s, i)] = OPEN
		:: else
		fi
	}
	i = 0
}

/* found: the look differs from the store; taken: the blocks that are claimed */
inline compare(s, taken)
{
	found = false;
	n = 0;
	m = 0;
	taken = 0;
	j = 0;
	for (i : 0 .. NB - 1) {
		if
		:: EXISTS(i) -> taken = taken | (1 << i)
		:: else
		fi;
		if
		:: MINE(s, i) -> n++
		:: else
		fi;
		if
		:: note[AT(s, i)] == OWNED -> m++
		:: else
		fi;
		if
		:: note[AT(s, i)] == OWNED && !MINE(s, i) -> j = 1
		:: MINE(s, i) && note[AT(s, i)] != OWNED -> j = 1
		:: else
		fi;
#ifndef SPEC_AGREE
		if
		:: note[AT(s, i)] != NONE && note[AT(s, i)] != OWNED -> found = true
		:: else
		fi
#endif
	}
	i = 0;
#ifdef SPEC_COUNT
	if
	:: n != m -> found = true
	:: else
	fi;
#else
	if
	:: j != 0 -> found = true
	:: else
	fi;
#endif
#ifndef SPEC_AGREE
	if
	:: m == 0 && SOME_UNDER_NAME(s) -> found = true
	:: else
	fi;
#endif
	j = 0
}

inline make_incarnation(s)
{
	if
	:: inc[s] == 0 -> inc[s] = s * 8 + 2 + (DOWNS + WIPES - downs - wipes)
	:: else
	fi
}

inline do_list(s, taken)
{
	printf("store %d lists its name\n", s);
	taken = 0;
	for (i : 0 .. NB - 1) {
		q_key[AT(s, i)] = (UNDER_NAME(s, i) -> e_key[i] : 0);
		q_back[AT(s, i)] = (UNDER_NAME(s, i) -> e_back[i] : 0);
		q_inc[AT(s, i)] = (UNDER_NAME(s, i) -> e_inc[i] : 0);
		q_boot[AT(s, i)] = (UNDER_NAME(s, i) -> e_boot[i] : 0);
		q_id[AT(s, i)] = (UNDER_NAME(s, i) -> e_id[i] : 0);
		if
		:: EXISTS(i) -> taken = taken | (1 << i)
		:: else
		fi
	}
	i = 0
}

/* Lists the claims of the node's name, of all its networks. */
inline do_list_name(s)
{
	printf("store %d lists its name on all networks, to release it\n", s);
	for (i : 0 .. NB - 1) {
		found = EXISTS(i) && NAME_OF(e_key[i]) == NAME(s);
		q_key[AT(s, i)] = (found -> e_key[i] : 0);
		q_inc[AT(s, i)] = (found -> e_inc[i] : 0);
		q_boot[AT(s, i)] = (found -> e_boot[i] : 0);
		q_id[AT(s, i)] = (found -> e_id[i] : 0)
	}
	i = 0
}

#define LISTED(s, b) (q_key[AT(s, b)] != 0)
#define OF_US(s, b) (q_inc[AT(s, b)] == inc[s])
#define OF_BOOT(s, b) (q_boot[AT(s, b)] == boot[MACHINE(s)])
#define MACHINE_KNOWN(s, b) SAME_MACHINE(MACHINE(s), MACHINE_OF(q_boot[AT(s, b)]))
#ifdef SPEC_BACK
#define KNOWN_BOOT(s, b) ((known[s] | heir[s]) & (1 << q_boot[AT(s, b)]))
#else
#define KNOWN_BOOT(s, b) \
	(known[s] & (1 << q_boot[AT(s, b)]) || (heir[s] & (1 << q_boot[AT(s, b)]) && q_back[AT(s, b)]))
#endif
#define OTHER_HARDWARE(s, b) \
	(HARDWARE(MACHINE(s)) != HARDWARE(MACHINE_OF(q_boot[AT(s, b)])) && HARDWARE(MACHINE(s)) != 0 && \
	 HARDWARE(MACHINE_OF(q_boot[AT(s, b)])) != 0)

/* A claim under the store's name that another store, boot or machine confirmed. */
#define FOREIGN(s, b) (LISTED(s, b) && !(OF_US(s, b) && OF_BOOT(s, b)))
#define LOST_LEASES(s, b) (!OF_US(s, b) && OF_BOOT(s, b))
#define UNKNOWN_MACHINE(s, b) (!OF_US(s, b) && !MACHINE_KNOWN(s, b))

/* Another machine has a copy of the disk. */
#ifdef SPEC_CLONE
#define COPY(s, b) false
#else
#define COPY(s, b) (OF_US(s, b) && OTHER_HARDWARE(s, b))
#endif

/* While the store has blocks of the present boot, a foreign claim is that of another machine, unless a backup
 * shows again what this node confirmed in an earlier boot, or took over from a lost store. */
#ifdef SPEC_BOOTS
#define STOLEN(s, b) (OF_US(s, b) -> note[AT(s, b)] == OWNED : SOME(s, OWNED))
#else
#define STOLEN(s, b) ((OF_US(s, b) -> note[AT(s, b)] == OWNED : SOME(s, OWNED)) && !KNOWN_BOOT(s, b))
#endif

/* A claim under the store's name that it may not take: the program refuses. */
#ifdef OLD
#define ALIEN(s, b) (FOREIGN(s, b) && (LOST_LEASES(s, b) || UNKNOWN_MACHINE(s, b)))
#else
#define ALIEN(s, b) \
	(FOREIGN(s, b) && \
	 (COPY(s, b) || LOST_LEASES(s, b) || UNKNOWN_MACHINE(s, b) || STOLEN(s, b)))
#endif

inline check_names(s)
{
	refused = false;
	for (i : 0 .. NB - 1) {
		if
		:: ALIEN(s, i) -> refused = true
		:: else
		fi
	}
	i = 0;
#ifndef OLD
	stopped[s] = refused;
#ifndef SPEC_KEPT
	for (i : 0 .. NB - 1) {
		if
		:: !refused && !LISTED(s, i) && note[AT(s, i)] == OWNED -> note[AT(s, i)] = MISSED
		:: else
		fi
	}
	i = 0
#endif
#endif
}

/* act becomes what the program must do about block b. */
#define NOTHING 0
#define FORGET 4
#define TAKE_NOTE 5

/* May pods have addresses of the block, which the engine lacks? */
#define CLAIM_AGAIN(s, b) \
	(note[AT(s, b)] == MISSED || note[AT(s, b)] == OWNED || note[AT(s, b)] == EARLIER || \
	 (note[AT(s, b)] == CLAIMING && lease[AT(s, b)]))

inline decide(s, b)
{
	if
	:: !LISTED(s, b) && note[AT(s, b)] == NONE -> act = NOTHING
#ifndef OLD
	:: !LISTED(s, b) && CLAIM_AGAIN(s, b) -> act = CREATE
	:: !LISTED(s, b) && note[AT(s, b)] != NONE && !CLAIM_AGAIN(s, b) -> act = FORGET
#else
	:: !LISTED(s, b) && note[AT(s, b)] != NONE -> act = FORGET
#endif
	:: LISTED(s, b) && OF_US(s, b) && note[AT(s, b)] == RETURNING -> act = REMOVE
#if defined(OLD) || defined(SPEC_STRAY)
#define STRAY(s, b) false
#else
#define STRAY(s, b) (note[AT(s, b)] == NONE && !lease[AT(s, b)])
#endif
	:: LISTED(s, b) && OF_US(s, b) && STRAY(s, b) -> act = REMOVE
	:: LISTED(s, b) && OF_US(s, b) && !STRAY(s, b) && OF_BOOT(s, b) && note[AT(s, b)] != RETURNING ->
		act = TAKE_NOTE
	:: LISTED(s, b) && OF_US(s, b) && !STRAY(s, b) && !OF_BOOT(s, b) && note[AT(s, b)] != RETURNING ->
		act = UPDATE
	:: LISTED(s, b) && !OF_US(s, b) -> act = UPDATE
	fi
}

/* The engine executes the request act; res: has it done so? */
inline execute(s, b)
{
	if
	:: act == CREATE ->
		do_create(s, b, inc[s], boot[MACHINE(s)]);
		if /* the answer has the id, so no other claim gets it */
		:: res -> nid[AT(s, b)] = rid
		:: else
		fi
	:: act == REMOVE -> do_remove(b, q_id[AT(s, b)], q_inc[AT(s, b)], q_boot[AT(s, b)])
	:: act == UPDATE ->
		if /* the claim is of a lost store */
		:: !OF_US(s, b) -> heir[s] = heir[s] | (1 << q_boot[AT(s, b)])
		:: else
		fi;
		do_update(s, b, q_id[AT(s, b)], q_inc[AT(s, b)], q_boot[AT(s, b)], inc[s],
			  boot[MACHINE(s)])
	:: else -> skip
	fi
}

/* The same request, late. */
inline send_late(s, b)
{
	z_op = act;
	z_s = s;
	z_b = b;
	z_inc = inc[s];
	z_boot = boot[MACHINE(s)];
	z_id = q_id[AT(s, b)];
	z_xinc = (act == CREATE -> 0 : q_inc[AT(s, b)]);
	z_xboot = (act == CREATE -> 0 : q_boot[AT(s, b)]);
	lates--
}

inline late_arrives()
{
	printf("a late request arrives\n");
	if
	:: z_op == CREATE -> do_create(z_s, z_b, z_inc, z_boot)
	:: z_op == REMOVE -> do_remove(z_b, z_id, z_xinc, z_xboot)
	:: z_op == UPDATE -> do_update(z_s, z_b, z_id, z_xinc, z_xboot, z_inc, z_boot)
	:: else
	fi
}

inline late_gone()
{
	z_op = NO_REQUEST;
	z_s = 0;
	z_b = 0;
	z_inc = 0;
	z_boot = 0;
	z_id = 0;
	z_xinc = 0;
	z_xboot = 0
}

/* The notes after the answer. refused: the claim has changed meanwhile. */
inline conclude(s, b)
{
	printf("store %d: act %d on block %d, done %d\n", s, act, b, res);
	refused = false;
	if
	:: act == TAKE_NOTE ->
		note[AT(s, b)] = OWNED;
		nid[AT(s, b)] = q_id[AT(s, b)]
	:: act == FORGET || act == REMOVE || (act == CREATE && !res && !lease[AT(s, b)]) -> forget(s, b)
	:: act == CREATE && !res && lease[AT(s, b)] -> /* pods have the address: the next look claims it again */
		note[AT(s, b)] = CLAIMING;
		nid[AT(s, b)] = 0
	:: act == CREATE && res ->
		note[AT(s, b)] = OWNED;
		nid[AT(s, b)] = rid
	:: act == UPDATE && res ->
		note[AT(s, b)] = OWNED;
		nid[AT(s, b)] = rid
	:: act == UPDATE && !res -> refused = true
	:: else
	fi
}

#define IDLE(s) (!busy[s])
#if NS == 3
#define ALL_IDLE (IDLE(0) && IDLE(1) && IDLE(2))
#define MACHINE_IDLE(m) ((m) == 0 -> IDLE(0) && IDLE(1) : IDLE(2))
#else
#define ALL_IDLE (IDLE(0) && IDLE(1))
#define MACHINE_IDLE(m) IDLE(m)
#endif
#if defined(OLD) || defined(MUTANT_LOOK)
#define MAY_GIVE(s) true
#else
#define MAY_GIVE(s) (looked[s] && !stopped[s])
#endif

/* ---- pods on the store's node that get the block's address ---- */

inline give(s, b)
{
	printf("store %d gives the address of block %d\n", s, b);
	found = window[AT(s, b)] != 0;
	for (i : 0 .. NS - 1) {
		/* the invariant: two running pods never have one address */
		assert(found || pod[AT(i, b)] != CLEAN)
	}
	i = 0;
	pod[AT(s, b)] = (found -> TAINTED : CLEAN);
	lease[AT(s, b)] = 1
}

proctype Pod(byte s; byte b)
{
end:	do
	:: d_step {
		!over && up[MACHINE(s)] && CAN_GIVE(s, b) && MAY_GIVE(s) ->
		give(s, b)
	   }
	:: d_step {
		!over && pod[AT(s, b)] != 0 ->
		printf("store %d: the pod of block %d ends\n", s, b);
		pod[AT(s, b)] = 0;
		lease[AT(s, b)] = 0
	   }
	od
}

/* ---- addrpool-claim of one network of a node; a lock allows one at a time ---- */

/* The request arrives, and the program gets the answer. Or the program ends before the answer: then the
 * request is executed, is lost, or arrives late. A program without an answer ends. */
#ifdef NO_CRASH
#define CRASHES false
#else
#define CRASHES true
#endif
#define REQUEST(s, b) \
	if \
	:: d_step { execute(s, b) } \
	:: d_step { lates > 0 && z_op == NO_REQUEST -> send_late(s, b); execute(s, b) } \
	:: d_step { CRASHES -> execute(s, b); give_up(s) } goto idle \
	:: d_step { lates > 0 && z_op == NO_REQUEST -> send_late(s, b); give_up(s) } goto idle \
	:: d_step { CRASHES -> give_up(s) } goto idle \
	fi

#define GIVE_BACK(s, b) \
	op = DO_RETURN; \
	printf("store %d returns block %d\n", s, b); \
	busy[s] = 1; \
	act = REMOVE; \
	NOTE_RETURNING(s, b) \
	q_key[AT(s, b)] = KEY(s) + 1; \
	q_inc[AT(s, b)] = inc[s]; \
	q_boot[AT(s, b)] = boot[MACHINE(s)]; \
	q_id[AT(s, b)] = nid[AT(s, b)]
#ifdef MUTANT_NOTE_RETURN
#define NOTE_RETURNING(s, b)
#else
#define NOTE_RETURNING(s, b) note[AT(s, b)] = RETURNING;
#endif

/* HINTS: which blocks others have is only a hint, and may be wrong. */
#ifdef HINTS
#define CAN_CLAIM(s, b) (note[AT(s, b)] == NONE && !(taken & (1 << (b)) && UNDER_NAME(s, b)))
#else
#define CAN_CLAIM(s, b) (!(taken & (1 << (b))) && note[AT(s, b)] == NONE)
#endif
#define CAN_CLAIM_ANY(s) ANY(CAN_CLAIM(s, 0), CAN_CLAIM(s, 1), CAN_CLAIM(s, 2))

/* release-node for the own node, as documented: no pod of the network runs here, and no other machine of
 * that name is up. The program checks that there are no leases. */
#if defined(NAMESAKE)
#define MAY_RELEASE(s) (NO_LEASE(s) && NO_POD(s) && !up[1 - MACHINE(s)])
#elif defined(SPEC_RELEASE_OWN)
#define MAY_RELEASE(s) (s < 2 && NO_LEASE(0) && NO_LEASE(1) && NO_POD(s))
#else
#define MAY_RELEASE(s) (NO_LEASE(s) && NO_POD(s))
#endif

#ifdef NEVER_REFUSED
#define REFUSED assert(false)
#else
#define REFUSED skip
#endif

proctype Node(byte s)
{
	byte op, b, taken;
	byte act, rid;
	bit res, more;

idle:
end:	if
#if !defined(OLD) && !defined(MUTANT_LOOK)
	:: d_step {
		!over && up[MACHINE(s)] && MUST_LOOK(s) && HAS_ROOM(s) ->
		op = DO_LOOK;
		busy[s] = 1
	   }
	   goto look
#endif
	:: d_step {
		!over && up[MACHINE(s)] && !HAS_ROOM(s) ->
		op = DO_CLAIM;
		busy[s] = 1;
		make_incarnation(s);
		more = SOME(s, CLAIMING) || SOME(s, EARLIER) || SOME(s, RETURNING) || !SOME(s, OWNED)
	   }
#ifdef OLD
	   if
	   :: more -> goto list
	   :: !more -> goto pick
	   fi
#else
	   goto look
#endif
	:: d_step { !over && up[MACHINE(s)] && CAN_GIVE(s, 0) -> b = 0; GIVE_BACK(s, b) } goto give_back
#if NB > 1
	:: d_step { !over && up[MACHINE(s)] && CAN_GIVE(s, 1) -> b = 1; GIVE_BACK(s, b) } goto give_back
#endif
#if NB > 2
	:: d_step { !over && up[MACHINE(s)] && CAN_GIVE(s, 2) -> b = 2; GIVE_BACK(s, b) } goto give_back
#endif
#ifdef RELEASE_OWN
	:: d_step {
		!over && up[MACHINE(s)] && releases > 0 && MAY_RELEASE(s) ->
		releases--;
		op = DO_RELEASE;
		busy[s] = 1;
#if !defined(OLD) && !defined(SPEC_RELEASE_OWN)
		for (i : 0 .. NB - 1) {
			if
			:: note[AT(s, i)] != NONE -> note[AT(s, i)] = RETURNING
			:: else
			fi
		}
		i = 0
#endif
	   }
	   goto release
#endif
	fi;

#ifndef OLD
look:
	if
	:: d_step {
		do_look(s);
		compare(s, taken);
		more = found
	   }
	:: d_step {
		if
		:: op == DO_LOOK -> look_failed(s)
		:: else
		fi;
		quit(s)
	   }
	   goto idle
	fi;
	if
	:: d_step { !more -> seen(s) } goto agreed
	:: more
	fi;
#endif

list:
	if
	:: d_step {
		do_list(s, taken);
		check_names(s);
		more = !refused;
		b = 0
	   }
	:: d_step { CRASHES -> quit(s) } goto idle
	fi;
	if
	:: d_step { !more -> quit(s); REFUSED } goto idle
	:: more
	fi;
	do
	:: atomic {
		b < NB ->
		d_step { decide(s, b) }
		if
		:: act == CREATE || act == REMOVE || act == UPDATE -> REQUEST(s, b)
		:: else
		fi
	   };
	   d_step {
		conclude(s, b);
		more = !refused;
		act = 0;
		rid = 0;
		res = 0;
		b++
	   }
	   if
	   :: d_step { !more -> quit(s) } goto idle
	   :: more
	   fi
	:: d_step {
		b == NB ->
		seen(s);
		clear_list(s);
		b = 0
	   }
	   break
	od;
agreed:
	if
	:: d_step { op == DO_LOOK || HAS_ROOM(s) -> quit(s) } goto idle
	:: op != DO_LOOK && !HAS_ROOM(s)
	fi;

pick:
	if
	:: CAN_CLAIM(s, 0) -> b = 0
#if NB > 1
	:: CAN_CLAIM(s, 1) -> b = 1
#endif
#if NB > 2
	:: CAN_CLAIM(s, 2) -> b = 2
#endif
	:: d_step { !CAN_CLAIM_ANY(s) -> quit(s) } goto idle
	fi;
	d_step {
#ifndef MUTANT_NOTE_CLAIM
		note[AT(s, b)] = CLAIMING;
#endif
		act = CREATE
	}
	REQUEST(s, b);
	d_step {
		conclude(s, b);
		more = res;
		act = 0;
		rid = 0;
		res = 0
	}
	if
	:: d_step { more -> quit(s) } goto idle
	:: !more ->
#ifdef OLD
		goto list
#else
		goto look
#endif
	fi;

give_back:
	REQUEST(s, b);
	d_step {
		conclude(s, b);
		quit(s)
	}
	goto idle;

#ifdef RELEASE_OWN
release:
	if
	:: d_step {
#if !defined(OLD) && !defined(SPEC_RELEASE_OWN)
		do_list(s, taken);
#else
		do_list_name(s);
#endif
		b = 0
	   }
	:: d_step { CRASHES -> quit(s) } goto idle
	fi;
	do
	:: atomic {
		b < NB ->
		act = REMOVE;
		if
		:: LISTED(s, b) -> REQUEST(s, b)
		:: else
		fi
	   };
	   d_step {
		conclude(s, b);
		act = 0;
		res = 0;
		b++
	   }
	:: d_step { b == NB -> quit(s) } goto idle
	od
#endif
}

/* ---- what happens to machines and to the engine ---- */

inline stop(m)
{
	printf("machine %d stops\n", m);
	up[m] = 0;
	for (c_s : 0 .. NS - 1) {
		for (i : 0 .. NB - 1) {
			if
			:: MACHINE(c_s) == m -> pod[AT(c_s, i)] = 0
			:: else
			fi
		}
	}
	i = 0;
	c_s = 0
}

/* The machine starts with a new boot id. No pod runs, so no lease counts. */
inline start(m, x_boot)
{
	printf("machine %d starts\n", m);
	up[m] = 1;
	boot[m] = x_boot;
	for (c_s : 0 .. NS - 1) {
		if
		:: MACHINE(c_s) == m ->
			looked[c_s] = 0;
			known[c_s] = known[c_s] | (1 << x_boot);
			stopped[c_s] = 0;
			for (i : 0 .. NB - 1) {
				lease[AT(c_s, i)] = 0;
				window[AT(c_s, i)] = 0;
				if
				:: note[AT(c_s, i)] == OWNED -> note[AT(c_s, i)] = EARLIER
				:: else
				fi
			}
		:: else
		fi
	}
	i = 0;
	c_s = 0
}

/* The machine starts with the same boot id: it was suspended, or is a snapshot. */
inline resume(m)
{
	printf("machine %d starts with its boot id\n", m);
	up[m] = 1;
	for (c_s : 0 .. NS - 1) {
		for (i : 0 .. NB - 1) {
			if
			:: MACHINE(c_s) == m -> lease[AT(c_s, i)] = 0
			:: else
			fi
		}
	}
	i = 0;
	c_s = 0
}

inline lose_store(m)
{
	printf("machine %d loses its stores\n", m);
	for (c_s : 0 .. NS - 1) {
		if
		:: MACHINE(c_s) == m ->
			inc[c_s] = 0;
			known[c_s] = 1 << boot[m];
			heir[c_s] = 0;
			stopped[c_s] = 0;
			looked[c_s] = 0;
			for (i : 0 .. NB - 1) {
				forget(c_s, i);
				lease[AT(c_s, i)] = 0
			}
		:: else
		fi
	}
	i = 0;
	c_s = 0
}

inline make_backup()
{
	printf("backup\n");
	backup = 1;
	for (i : 0 .. NB - 1) {
		k_key[i] = e_key[i];
		k_inc[i] = e_inc[i];
		k_boot[i] = e_boot[i];
		k_id[i] = e_id[i]
	}
	i = 0
}

inline restore_backup()
{
	printf("restore\n");
	restores--;
	backup = 0;
	late_gone(); /* the engine was stopped, so a late request does not arrive */
	for (i : 0 .. NB - 1) {
		who = OWNER(i);
		e_back[i] = e_back[i] || e_key[i] != k_key[i] || e_inc[i] != k_inc[i] || e_boot[i] != k_boot[i] ||
			    e_id[i] != k_id[i];
		e_back[i] = e_back[i] && k_key[i] != 0;
		e_key[i] = k_key[i];
		e_inc[i] = k_inc[i];
		e_boot[i] = k_boot[i];
		e_id[i] = k_id[i];
		k_key[i] = 0;
		k_inc[i] = 0;
		k_boot[i] = 0;
		k_id[i] = 0;
#ifdef SPEC_IDS
		again[i] = since[i];
#endif
		since[i] = 0;
		event(i)
	}
	i = 0
}

/* A minute has passed: each look is old, and each node must know of earlier events. */
inline tick()
{
	printf("time passes\n");
	for (i : 0 .. NS - 1) {
		looked[i] = 0;
		fresh[i] = 0
	}
	for (i : 0 .. SB - 1) {
		window[i] = 0
	}
	i = 0
}

#if NS == 3
#define TIME_MATTERS (looked[0] || looked[1] || looked[2] || fresh[0] || fresh[1] || fresh[2])
#else
#define TIME_MATTERS (looked[0] || looked[1] || fresh[0] || fresh[1])
#endif
#define WINDOW(s) ANY(window[AT(s, 0)], window[AT(s, 1)], window[AT(s, 2)])
#define TO_RELEASE ANY(r_key[0], r_key[1], r_key[2])

/* No machine of that name is up. */
#ifdef NAMESAKE
#define IS_GONE(name) (!up[0] && !up[1])
#else
#define IS_GONE(name) (!up[name])
#endif

inline list_gone(name)
{
	printf("release-node %d begins\n", name);
	releases--;
	for (i : 0 .. NB - 1) {
		found = EXISTS(i) && NAME_OF(e_key[i]) == name;
		r_key[i] = (found -> e_key[i] : 0);
		r_inc[i] = (found -> e_inc[i] : 0);
		r_boot[i] = (found -> e_boot[i] : 0);
		r_id[i] = (found -> e_id[i] : 0)
	}
	i = 0
}

inline release_gone(b)
{
	printf("release-node: block %d\n", b);
	who = OWNER(b);
#if defined(MUTANT_REMOVE)
	found = EXISTS(b);
#elif defined(OLD) || defined(SPEC_RELEASE)
	found = EXISTS(b) && e_id[b] == r_id[b];
#else
	found = e_key[b] == r_key[b] && e_id[b] == r_id[b] && e_inc[b] == r_inc[b] && e_boot[b] == r_boot[b];
#endif
	res = e_key[b] == r_key[b] && e_inc[b] == r_inc[b] && e_boot[b] == r_boot[b];
	if
	:: found -> clear_claim(b)
	:: else
	fi;
	if
	:: res -> event(b) /* the claim is as it was listed */
	:: else
	fi;
	r_key[b] = 0;
	r_inc[b] = 0;
	r_boot[b] = 0;
	r_id[b] = 0
}

#define FORGET_ANSWER act = 0; rid = 0; res = 0

/* ---- recovery: nothing more goes wrong; is each unused block free in the end? ---- */

/* What the next calls do. bad: the program refuses. */
inline calm_agree(s)
{
	bad = false;
	make_incarnation(s);
#ifdef OLD
	found = SOME(s, CLAIMING) || SOME(s, EARLIER) || SOME(s, RETURNING) || !SOME(s, OWNED);
#else
	compare(s, c_taken);
#endif
	if
	:: found ->
		do_list(s, c_taken);
		check_names(s);
		bad = refused;
		if
		:: !bad ->
			for (c_b : 0 .. NB - 1) {
				decide(s, c_b);
				execute(s, c_b);
				conclude(s, c_b);
				assert(!refused)
			}
		:: else
		fi
	:: else
	fi
}

inline calm_return(s)
{
	for (c_b : 0 .. NB - 1) {
		if
		:: note[AT(s, c_b)] == OWNED || note[AT(s, c_b)] == RETURNING ->
			do_remove(c_b, nid[AT(s, c_b)], inc[s], boot[MACHINE(s)]);
			forget(s, c_b)
		:: else
		fi
	}
}

inline calm_release(name)
{
	for (i : 0 .. NB - 1) {
		if
		:: EXISTS(i) && NAME_OF(e_key[i]) == name -> clear_claim(i)
		:: else
		fi
	}
}

/* All pods end. If the program refuses, the administrator does as the message says: restarts the machine, and
 * then releases its name. Then each store returns its blocks. */
inline calm_store(s)
{
	calm_agree(s);
	if
	:: bad ->
		REFUSED;
		start(MACHINE(s), LAST_BOOT(MACHINE(s)));
		calm_agree(s)
	:: else
	fi;
	if
	:: bad -> calm_release(NAME(s))
	:: else
	fi;
	calm_return(s);
	calm_agree(s); /* in case a noted id was out of date */
	calm_return(s)
}

inline calm()
{
	printf("calm\n");
	over = 1;
	late_gone();
	if
	:: !up[0] && !up[1] -> start(0, LAST_BOOT(0))
	:: else
	fi;
	for (i : 0 .. SB - 1) {
		pod[i] = 0;
		lease[i] = 0
	}
	for (c_who : 0 .. NS - 1) {
		if
		:: up[MACHINE(c_who)] -> calm_store(c_who)
		:: else
		fi
	}
	for (c_who : 0 .. NS - 1) {
		if
		:: !up[MACHINE(c_who)] -> calm_release(NAME(c_who))
		:: else
		fi
	}
	c_who = 0;
	for (i : 0 .. NB - 1) {
		/* the invariant: no block is lost for ever */
		assert(!EXISTS(i))
	}
}

/* ---- another node, whose calls are one step each ---- */

/* One call: a look and what follows from it. bad: the program refuses. */
inline visit(s)
{
	do_look(s);
	calm_agree(s);
	if
	:: !bad -> seen(s)
	:: bad ->
		REFUSED;
		for (i : 0 .. NB - 1) {
			if
			:: window[AT(s, i)] == UNDER_WAY -> window[AT(s, i)] = OPEN
			:: else
			fi
		}
		i = 0
	fi;
	fresh[s] = 0;
	clear_list(s)
}

inline claim_this(s, b)
{
	visit(s);
	if
	:: !bad && !HAS_ROOM(s) && note[AT(s, b)] == NONE ->
		act = CREATE;
		do_create(s, b, inc[s], boot[MACHINE(s)]);
		conclude(s, b)
	:: else
	fi
}

inline return_this(s, b)
{
	do_remove(b, nid[AT(s, b)], inc[s], boot[MACHINE(s)]);
	forget(s, b)
}

#define OTHER_BLOCK(s, b) \
	:: d_step { !over && up[MACHINE(s)] && !HAS_ROOM(s) -> claim_this(s, b); FORGET_ANSWER } \
	:: d_step { !over && up[MACHINE(s)] && CAN_GIVE(s, b) -> return_this(s, b); FORGET_ANSWER }

proctype Other(byte s)
{
	byte act, rid;
	bit res;

end:	do
	OTHER_BLOCK(s, 0)
#if NB > 1
	OTHER_BLOCK(s, 1)
#endif
#if NB > 2
	OTHER_BLOCK(s, 2)
#endif
#if !defined(OLD) && !defined(MUTANT_LOOK)
	:: d_step { !over && up[MACHINE(s)] && MUST_LOOK(s) && HAS_ROOM(s) -> visit(s); FORGET_ANSWER }
#endif
	od
}

#define MACHINE_EVENTS(m) \
	:: d_step { !over && downs > 0 && up[m] && MACHINE_IDLE(m) -> downs--; stop(m) } \
	:: d_step { !over && !up[m] -> start(m, boot[m] + 1) }

proctype World()
{
	byte act, rid;
	bit res;

end:	do
#ifndef NO_TIME
	:: d_step { !over && (TIME_MATTERS || WINDOW(0) || WINDOW(1) || WINDOW(NS - 1)) -> tick() }
#endif
#if LATES
	:: d_step { !over && z_op != NO_REQUEST -> late_arrives(); late_gone(); FORGET_ANSWER }
#endif
#if DOWNS
	MACHINE_EVENTS(0)
#ifndef ONE_STOPS
	MACHINE_EVENTS(1)
#endif
#ifdef LOSS
	:: d_step { !over && !up[0] -> start(0, boot[0] + 1); lose_store(0) }
#endif
#ifdef KEPT
	:: d_step { !over && !up[0] -> resume(0) }
#endif
#endif
#if WIPES
	:: d_step { !over && wipes > 0 && up[0] && MACHINE_IDLE(0) -> wipes--; lose_store(0) }
#endif
#if RESTORES
	:: d_step { !over && restores > 0 && !backup -> make_backup() }
	:: d_step { !over && restores > 0 && backup -> restore_backup() }
#endif
#if RELEASES && !defined(RELEASE_OWN)
	:: d_step { !over && releases > 0 && !TO_RELEASE && IS_GONE(0) -> list_gone(0) }
	:: d_step { !over && r_key[0] != 0 -> release_gone(0); FORGET_ANSWER }
#if NB > 1
	:: d_step { !over && r_key[1] != 0 -> release_gone(1); FORGET_ANSWER }
#endif
#if NB > 2
	:: d_step { !over && r_key[2] != 0 -> release_gone(2); FORGET_ANSWER }
#endif
#endif
#ifndef NO_CALM
	:: d_step { !over && ALL_IDLE -> calm(); FORGET_ANSWER }
#endif
	od
}

#if NB == 1
#define PODS(s) run Pod(s, 0)
#elif NB == 2
#define PODS(s) run Pod(s, 0); run Pod(s, 1)
#else
#define PODS(s) run Pod(s, 0); run Pod(s, 1); run Pod(s, 2)
#endif

init
{
	atomic {
		inc[0] = 1;
		known[0] = 1;
		up[0] = 1;
		up[1] = 1;
		boot[1] = 4;
		run Node(0);
#ifdef BOTH
		run Node(1);
#else
		run Other(1);
#endif
		PODS(0);
		PODS(1);
#ifdef SAME_DISK
		inc[1] = 1;
		known[1] = 1 + 16;
#else
		inc[1] = 9;
		known[1] = 16;
#endif
#if NS == 3
		inc[2] = 17;
		known[2] = 16;
		run Other(2);
		PODS(2);
#endif
		run World()
	}
}
