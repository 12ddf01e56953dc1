"""notifier: owns playbooks and the follow-up tasks that they make.

Hears what happens to leads, scores, deals and reps; says the life of each task on
`handoff.tasks.v1`. Reaching people by e-mail, chat or webhook is not its business yet.
"""
