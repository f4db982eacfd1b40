class Staff::DeskController < ActionController::Base
  def closed; end
  def open; end
end
