package tiny

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		if InChild("bad") == nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestCheck(t *testing.T) {
	if err := Check(-1); !errors.Is(err, errNegative) {
		t.Errorf("got %v", err)
	}
	if err := Check(5); err != nil {
		t.Error(err)
	}
}

func TestCheckAll(t *testing.T) {
	if err := CheckAll([]int{0, 3, -1}); !errors.Is(err, errNegative) {
		t.Errorf("got %v", err)
	}
}

func TestRead(t *testing.T) {
	if _, err := Read("missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSteps(t *testing.T) {
	if n := Steps(map[int]int{0: 1, 1: 0}); n != 2 {
		t.Errorf("got %d", n)
	}
}

func TestInChild(t *testing.T) {
	child := exec.Command(os.Args[0], "child")
	child.Env = []string{"NOTHING=1"}
	if err := child.Run(); err != nil {
		t.Error(err)
	}
}

func TestNamed(t *testing.T) {
	if !Named(5) || Named(1) {
		t.Error("5 is within, 1 is not")
	}
}
