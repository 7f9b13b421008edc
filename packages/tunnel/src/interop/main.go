// One session of the reference implementation of yamux, told what to do line by line on standard input.
//
//	yamux-peer client|server host:port [close-timeout]
//
// A line "tag verb argument" is answered by a line "tag result". A stream that the other side opens begins with a line that
// names what becomes of it; what there is to say of it afterwards is a line "* …".
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

var (
	session *yamux.Session
	resume  = make(chan struct{})
	output  sync.Mutex
)

func say(format string, values ...any) {
	output.Lock()
	defer output.Unlock()
	fmt.Printf(format+"\n", values...)
}

func main() {
	conn, err := net.Dial("tcp", os.Args[2])
	if err != nil {
		panic(err)
	}
	config := yamux.DefaultConfig()
	config.ConnectionWriteTimeout = time.Minute // a busy machine is no broken connection
	config.LogOutput = os.Stderr
	if len(os.Args) > 3 {
		if config.StreamCloseTimeout, err = time.ParseDuration(os.Args[3]); err != nil {
			panic(err)
		}
	}
	if os.Args[1] == "client" {
		session, err = yamux.Client(conn, config)
	} else {
		session, err = yamux.Server(conn, config)
	}
	if err != nil {
		panic(err)
	}
	go accept()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := append(strings.Fields(lines.Text()), "")
		go func() { say("%s %s", words[0], run(words[1], words[2])) }()
	}
}

func run(verb, argument string) string {
	switch verb {
	case "ping":
		if _, err := session.Ping(); err != nil {
			return err.Error()
		}
		return "pong"
	case "resume":
		close(resume)
		return "ok"
	case "go-away":
		if err := session.GoAway(); err != nil {
			return err.Error()
		}
		return "ok"
	case "close":
		session.Close()
		return "ok"
	}
	stream, err := session.OpenStream()
	if err != nil {
		return err.Error()
	}
	size, _ := strconv.Atoi(argument)
	switch verb {
	case "echo":
		return echoed(stream, size)
	case "send": // all of it, then the end, then what the other side has to say
		if _, err := stream.Write(make([]byte, size)); err != nil {
			return err.Error()
		}
		stream.Close()
		return rest(stream)
	case "watch": // until the other side breaks it off
		stream.Write([]byte("x"))
		return rest(stream)
	case "cut": // an end that is not answered becomes a reset, after the close timeout
		stream.Write([]byte("x"))
		stream.Close()
		return "ok"
	}
	return "no such verb"
}

// echoed sends size bytes and its end, and compares what comes back.
func echoed(stream *yamux.Stream, size int) string {
	sent := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(sent)
	go func() {
		stream.Write(sent)
		stream.Close()
	}()
	received, err := io.ReadAll(stream)
	if err != nil {
		return err.Error()
	}
	if !bytes.Equal(sent, received) {
		return fmt.Sprintf("sent %d bytes, and %d others came back", size, len(received))
	}
	return "same"
}

// rest reads to the end: what came, and why it ended if not in order.
func rest(stream io.Reader) string {
	text, err := io.ReadAll(stream)
	if err != nil {
		return fmt.Sprintf("%s, then %v", text, err)
	}
	return string(text)
}

func accept() {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			say("* accept %v", err)
			return
		}
		go serve(stream)
	}
}

func serve(stream *yamux.Stream) {
	reader := bufio.NewReader(stream)
	verb, err := reader.ReadString('\n')
	if err != nil {
		say("* serve %v", err)
		return
	}
	switch strings.TrimSpace(verb) {
	case "echo":
		io.Copy(stream, reader)
	case "count": // once all has come
		size, _ := io.Copy(io.Discard, reader)
		fmt.Fprintf(stream, "%d", size)
	case "stall": // reads nothing until it is told to
		<-resume
		size, _ := io.Copy(io.Discard, reader)
		fmt.Fprintf(stream, "%d", size)
	case "early": // ends first, and reads on
		io.WriteString(stream, "bye")
		stream.Close()
		say("* early %s", rest(reader))
		return
	case "watch":
		say("* watching now")
		say("* watch %s", rest(reader))
		return
	}
	stream.Close()
}
